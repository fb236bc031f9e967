/*
 * ignore_index: which of many rules can match a path at all. Each rule is filed under a text that a
 * path must begin with, or that the path or one of its parents must end with; few rules are left
 * to be tried, however many there are.
 */
#pragma once
#include <stdint.h>

#include "common/str.h"

struct ignore_index;

struct ignore_index *ignore_index_create(size_t rules);
void ignore_index_destroy(struct ignore_index *index);

/* File rule number `rule` under the longer of the two; under neither, it is always tried. */
void ignore_index_add(struct ignore_index *index, uint32_t rule, struct str head, struct str tail);

/*
 * Bits, 64 a word, of the rules to try: bit `rule` of word `rule / 64`. Borrowed until the next
 * call.
 */
const uint64_t *ignore_index_find(struct ignore_index *index, struct str path);

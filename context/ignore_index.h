/*
 * ignore_index: which of many rules can mean one part of a path (what stands between two '/').
 * Each rule is filed under one text that some part of what it matches must be, begin with, end
 * with or hold: under the one that it shares with the fewest other rules. So few are left to be
 * tried, however many there are.
 *
 *   struct ignore_index *index = ignore_index_create(rules);
 *   for (…) ignore_index_add(index, rule, glob);
 *   ignore_index_build(index);
 *   ignore_index_find(index, part, &found);
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

struct glob;
struct ignore_index;

/* Numbers of rules. Zeroed memory is an empty list. */
struct rule_list {
	uint32_t *at;
	size_t len, cap;
};

void rule_list_push(struct rule_list *list, uint32_t rule);
void rule_list_release(struct rule_list *list);

struct ignore_index *ignore_index_create(size_t rules);
void ignore_index_destroy(struct ignore_index *index); /* accepts NULL */

void ignore_index_add(struct ignore_index *index, uint32_t rule, const struct glob *glob);
void ignore_index_build(struct ignore_index *index); /* when all were added */

/* Push the rules that are filed under the part, sorted, each once. `found` is empty. */
void ignore_index_find(const struct ignore_index *index, struct str part, struct rule_list *found);

/* Rules of which no text is known, which can mean any path; sorted. */
const struct rule_list *ignore_index_always(const struct ignore_index *index);

/* Could a match of the rule end with this part? True when in doubt. */
bool ignore_index_may_end(const struct ignore_index *index, uint32_t rule, struct str part);

/*
 * Does every match of the rule end with the part that it is filed under? If not, it can also match
 * paths that lie below it.
 */
bool ignore_index_closes(const struct ignore_index *index, uint32_t rule);

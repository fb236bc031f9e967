/*
 * value: one value of the configuration, of any kind in the table: read it from its node, print
 * it, release it. Internal to config/.
 */
#pragma once
#include <stdbool.h>

#include "common/buf.h"
#include "config/keys.h"
#include "config/source.h"

/* Is it a list of scalars? Then value_read() is called for each of them, after value_reserve(). */
bool value_is_list(enum key_kind kind);
void value_reserve(void *base, const struct key *key, size_t items);

/* The message of a failure says what would be right, not where: source_locate() does. */
int value_read(void *base, const struct key *key, const struct yaml_node *node,
	       const struct source *s, struct err *err);

/* As it would stand in the file; nothing when it is unset. Never the bytes of a secret. */
void value_print(const void *base, const struct key *key, struct buf *out);
bool value_is_set(const void *base, const struct key *key);

/* "1536", or with units "64K": what KEY_SIZE reads. */
void size_print(struct buf *out, int64_t bytes, bool units);

void value_release(void *base, const struct key *key);

/*
 * tidy_oids: a set of object ids, in the order in which they were added.
 */
#pragma once
#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tidy_oids {
	git_oid *items;
	size_t len, cap;
	uint32_t *slots;  /* index of an item, and one; 0: free */
	size_t slots_len; /* a power of two */
};

/* False when it was there already. At most 2^31 of them. */
bool tidy_oids_add(struct tidy_oids *set, const git_oid *id);
bool tidy_oids_have(const struct tidy_oids *set, const git_oid *id);
void tidy_oids_release(struct tidy_oids *set);

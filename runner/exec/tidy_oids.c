#include "runner/exec/tidy_oids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* An id is a hash already. Whoever can choose its beginning has to make that many objects first. */
static size_t slot_of(const struct tidy_oids *set, const git_oid *id)
{
	size_t at;

	memcpy(&at, id->id, sizeof at);
	for (at &= set->slots_len - 1; set->slots[at]; at = (at + 1) & (set->slots_len - 1)) {
		if (git_oid_equal(&set->items[set->slots[at] - 1], id))
			break;
	}
	return at;
}

static void grow(struct tidy_oids *set)
{
	set->slots_len = set->slots_len ? set->slots_len * 2 : 1024;
	free(set->slots);
	set->slots = xcalloc(set->slots_len, sizeof *set->slots);
	for (size_t i = 0; i < set->len; i++)
		set->slots[slot_of(set, &set->items[i])] = (uint32_t)i + 1;
}

bool tidy_oids_have(const struct tidy_oids *set, const git_oid *id)
{
	return set->len && set->slots[slot_of(set, id)];
}

bool tidy_oids_add(struct tidy_oids *set, const git_oid *id)
{
	if (set->slots_len < (set->len + 1) * 2)
		grow(set);
	size_t at = slot_of(set, id);
	if (set->slots[at])
		return false;
	assert(set->len < INT32_MAX);
	if (set->len == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 256;
		set->items = xreallocarray(set->items, set->cap, sizeof *set->items);
	}
	set->items[set->len++] = *id;
	set->slots[at] = (uint32_t)set->len;
	return true;
}

void tidy_oids_release(struct tidy_oids *set)
{
	free(set->items);
	free(set->slots);
	*set = (struct tidy_oids){ 0 };
}

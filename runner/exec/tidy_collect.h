/*
 * tidy_collect: remove what was used least recently, until the rest is within the budget and the
 * file system has room.
 */
#pragma once
#include "common/err.h"
#include "runner/contract/tidy.h"

struct tidy_list;

/* What an earlier tidying took away, or was writing, and did not come to remove. */
int tidy_leftovers_remove(const char *dir, struct err *err);

/*
 * Over the budget, it goes down to nine tenths of it; under the floor of free space, to a tenth
 * above that: a budget that is reached does not mean that every run pays for it. A lock that is
 * left alone goes in any case. What is in use is passed over and counted. answer->removed,
 * freed_bytes and busy are added to; items that went are marked. A failure is the first one; the
 * rest was tried.
 */
int tidy_collect(struct tidy_answer *answer, struct tidy_list *list, const struct tidy_order *order,
		 struct err *err);

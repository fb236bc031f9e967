/*
 * tidy_repack: make few packs of a mirror's many, without what its refs no longer reach.
 *
 * A mirror gets a pack with every fetch. When there are too many of them, or when they have grown
 * to several times the largest one, a new pack takes the place of all; the largest one stays as it
 * is while it holds at least half of the bytes, so that it is not copied again for every few
 * commits that come on top of it.
 *
 * The mirror is locked (exclusively, as for a fetch) only while it is looked at and while packs
 * change places: runs go on fetching and reading while the new pack is being written. Killed at any
 * moment, it leaves a mirror that has all of its objects.
 */
#pragma once
#include "common/err.h"

enum tidy_repacked { TIDY_AS_IT_IS, TIDY_REPACKED, TIDY_REPACK_BUSY };

/*
 * The mirror `key` below `dir`. TIDY_REPACK_BUSY: a run has it, next time. -1: it is as it was;
 * words "git_bad_object", "storage", "disk_full".
 */
int tidy_repack(const char *dir, const char *key, struct err *err);

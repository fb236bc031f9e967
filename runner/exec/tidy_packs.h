/*
 * tidy_packs: the files below objects/ of a mirror: what is to be replaced by a new pack, and what
 * stays.
 */
#pragma once
#include <git2/odb.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/strvec.h"

struct tidy_packs {
	char *objects;         /* the folder */
	struct strvec leaving; /* files, relative to it; an index before its pack */
	int packs;
	int64_t bytes;         /* of packs */
	char *largest;         /* "pack/pack-….idx", or NULL */
	int64_t largest_bytes; /* of its pack */
	bool largest_stays;
};

/* What is there now; all of it is leaving. Words: "storage". */
int tidy_packs_read(struct tidy_packs *out, const char *mirror, struct err *err);
void tidy_packs_release(struct tidy_packs *p); /* accepts a zeroed one */

/* What a fetch or a repacking that was killed left: nothing but an index makes a pack count. */
int tidy_packs_remove_halves(struct tidy_packs *p, struct err *err);
/* Should there be fewer? */
bool tidy_packs_are_many(const struct tidy_packs *p);
/* The largest one stays, if it is worth it. */
void tidy_packs_keep_largest(struct tidy_packs *p);
/* "pack-…": the files of this name do not leave. */
void tidy_packs_keep(struct tidy_packs *p, const char *name);

/* The objects of the packs that are there now and do not leave; and `more`, an index, or NULL. */
int tidy_packs_rest(git_odb **out, const struct tidy_packs *p, const char *more, struct err *err);
/* Those of the pack that stays. An empty one when there is none. */
int tidy_packs_staying(git_odb **out, const struct tidy_packs *p, struct err *err);
/* Is every file that is to leave still there? Else the mirror was made anew meanwhile. */
bool tidy_packs_are_there(const struct tidy_packs *p);
int tidy_packs_remove(const struct tidy_packs *p, struct err *err);

/*
 * git_tally: what a tree means in files and bytes, counted before anything is written: seven
 * objects can mean 10^10 files.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"

struct exec;

struct git_tally {
	int64_t entries, bytes; /* of a context, ignored files too, for the ceilings */
	/* What updates did since this was zeroed, for the log. */
	int64_t written, written_bytes, removed, ignored;
};

/*
 * Take `tally` from the tree `before` to the tree `after` (NULL: an empty one), by looking only at
 * what differs. `depth` is that of the tree in the context, 1 for its root. What comes is checked:
 * "git_too_many_files", "git_too_deep", "git_too_large" (one file, or all of them),
 * "git_unsafe_tree" (names that mean something to git or to the file system, or that come twice),
 * "git_bad_object". Limits are those of x's specification.
 */
int git_tally_update(struct git_tally *tally, const git_tree *before, const git_tree *after,
		     int64_t depth, const struct exec *x, struct err *err);

/*
 * git_update: make a folder hold a tree, by writing only what differs from the tree that it held
 * before. Straight from the objects: no checkout, no filter, no hook, and no link is ever followed.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_left.h"

struct exec;
struct ignore;

/* What a context holds, ignored files too, for the ceilings of the specification. */
struct git_tally {
	int64_t entries, bytes;
};

struct git_update {
	const git_tree *before; /* what is there now, written with the same rules; NULL: nothing */
	const git_tree *after;
	const char *prefix; /* where it lies in the context: "", or "vendor/lib"; it is there */
	int64_t time_s;     /* modification time of what is written, since 1970 */
	const struct ignore *ignore; /* for paths from the root of the context; may be NULL */
};

/*
 * The trees are walked and counted before anything is written: names, sizes, depth. `tally` goes
 * from that of `before` to that of `after`. Pointers of Git LFS and gitlinks that are new or
 * changed are added to *left. When it fails, the folder holds neither tree. Words:
 * "git_unsafe_tree", "git_too_many_files", "git_too_deep", "git_too_large", "git_bad_object" (the
 * mirror is damaged), "disk_full", "storage", those of exec_may_go_on().
 */
int git_update_folder(int root_fd, const struct git_update *update, struct git_tally *tally,
		      struct git_left *left, struct exec *x, struct err *err);

/*
 * git_update: make a folder hold a tree, by writing only what differs from the tree that it held
 * before. Straight from the objects: no checkout, no filter, no hook, and no link is ever followed.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_left.h"
#include "runner/exec/git_tally.h"

struct exec;
struct ignore;

struct git_update {
	const git_tree *before; /* what is there now, written with the same rules; NULL: nothing */
	const git_tree *after;
	const char *prefix; /* where it lies in the context: "", or "vendor/lib"; it is there */
	int64_t time_s;     /* modification time of what is written, since 1970 */
	const struct ignore *ignore; /* for paths from the root of the context; may be NULL */
};

/*
 * The trees are walked and counted before anything is written (git_tally.h). Only what differs is
 * touched: a file is removed and made new, never written to. Pointers of Git LFS (nothing is
 * written there) and gitlinks that are new or changed are added to *left, in the order of a walk.
 * A gitlink that only moved to another commit keeps what is in its folder; one that vanished goes
 * with its content, but what that was in `tally` stays there: nobody here knows how much it is.
 *
 * When it fails, the folder holds neither tree. Words: those of git_tally_update(), "git_lfs" (a
 * pointer with an extension), "disk_full", "storage", those of exec_may_go_on().
 */
int git_update_folder(int root_fd, const struct git_update *update, struct git_tally *tally,
		      struct git_left *left, struct exec *x, struct err *err);

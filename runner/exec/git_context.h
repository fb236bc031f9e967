/*
 * git_context: the context of a run from the tree of a commit: a kept checkout of which only what
 * changed is written, and an overlay over it for the run; or, where no overlay can be had, all of
 * the tree.
 *
 * Nothing is checked out by libgit2, and no filter or hook runs. What the ignore rules leave out is
 * not written. Times are the commit's that brought a file.
 */
#pragma once
#include <git2/tree.h>

#include "common/err.h"
#include "common/str.h"

struct exec;
struct git_brought;
struct ignore;
struct source;

struct git_context {
	struct git_brought *from;
	const git_tree *root; /* of the commit */
	const git_tree *tree; /* of the context's folder in it */
	const char *folder;   /* that folder, clean; "": the root */
	const struct ignore *ignore;
	const char *ignore_path; /* of an ignore file that belongs to the Dockerfile; else "" */
	struct str ignore_text;  /* what `ignore` was read from */
};

/*
 * Make x->work/context and set out->dir to it. The checkout stays locked until *out is released.
 * Words: those of git_update_folder(), git_submodules_write(), git_lfs_write().
 */
int git_context_make(struct source *out, struct exec *x, const struct git_context *context,
		     struct err *err);

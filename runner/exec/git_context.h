/*
 * git_context: write the files of a tree as a build context, straight from their objects.
 *
 * Nothing is checked out and no filter or hook runs. Every file is made new below one folder and
 * no link is ever followed. Times are the commit's, so that a builder's cache recognises what did
 * not change. What the ignore rules leave out is not written.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"

struct exec;
struct ignore;

/*
 * `tree` has passed git_tree_check(). `dir` does not exist yet. A submodule becomes an empty
 * folder, named in the log. Words: "git_lfs" when a file that is not ignored is a pointer to one
 * that is elsewhere, "git_bad_object", "git_unsafe_tree" (two entries of one name), "disk_full",
 * "storage", and those of exec_may_go_on().
 */
int git_context_write(const char *dir, const git_tree *tree, int64_t commit_time_s,
		      const struct ignore *ignore, struct exec *x, struct err *err);

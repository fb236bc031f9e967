/*
 * git_submodules: bring the repositories that the gitlinks of a tree point at, and write them into
 * their folders; and theirs, up to a depth.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_left.h"

struct exec;
struct git_brought;
struct git_tally;
struct ignore;

struct git_superproject {
	const struct git_brought *from; /* whose gitlinks they are */
	const git_tree *root;           /* its whole tree, where .gitmodules lies */
	const char *folder;             /* of the context in it, clean; "": the root */
	const char *prefix;             /* where that lies in the context: "", or "vendor/lib" */
};

/*
 * Words: "git_unsafe_submodule" (a path or name that may not be, or a gitlink without an entry in
 * .gitmodules), "url_invalid", "scheme_denied", "submodule_denied" (a host that is not allowed),
 * "git_too_deep", and those of git_bring() and git_update().
 */
int git_submodules_write(int root_fd, const struct git_superproject *super,
			 const struct git_left *left, const struct ignore *ignore,
			 struct git_tally *tally, struct exec *x, struct err *err);

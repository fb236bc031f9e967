/*
 * git_submodules: bring the repositories that the gitlinks of a tree point at, and write them into
 * their folders; and theirs, up to a depth.
 */
#pragma once
#include <git2/tree.h>

#include "common/err.h"
#include "runner/exec/git_left.h"

struct exec;
struct git_brought;
struct git_tally;
struct ignore;

/* The repository of the run. */
struct git_superproject {
	struct git_brought *from; /* whose gitlinks they are */
	const git_tree *root;     /* its whole tree, where .gitmodules lies */
	const char *folder;       /* of the context in it, clean; "": the root */
};

/*
 * Write what left->gitlinks point at below `root_fd`, the root of the context. `ignore` and `tally`
 * are the context's. To be called also when nothing is left: a hostile .gitmodules is refused
 * although nobody uses it.
 *
 * As in a clone, the folder of a gitlink that .gitmodules does not name, or names with
 * "update = none", stays empty. Whoever keeps a folder from commit to commit writes all of it anew
 * when .gitmodules changed: what an unchanged gitlink means may be another thing then.
 *
 * While others are fetched from->mirror is not locked: two repositories may be submodules of each
 * other, and one of itself.
 *
 * Words: "git_unsafe_submodule" and "url_invalid" (gitmodules_read()), those of
 * submodule_url_resolve(), "submodule_denied" (a host that is not allowed), "git_too_deep",
 * "git_too_many_submodules", those of git_bring(), git_update_folder() and git_lfs_write(). The
 * message names the submodule.
 */
int git_submodules_write(int root_fd, const struct git_superproject *super,
			 const struct git_left *left, const struct ignore *ignore,
			 struct git_tally *tally, struct exec *x, struct err *err);

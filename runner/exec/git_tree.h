/*
 * git_tree: look into the tree of a commit without checking anything out.
 */
#pragma once
#include <git2/tree.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/*
 * The folder at `path` ("" is the root) of a commit's tree; *out is freed with git_tree_free().
 * Links are not followed. "folder_not_found"; "git_bad_object" when the repository is damaged.
 */
int git_tree_open(git_tree **out, git_repository *repo, const git_oid *commit, const char *path,
		  struct err *err);

/*
 * May an entry of a tree be called that? "git_unsafe_tree" for what means something to git or to
 * the file system.
 */
int git_tree_check_name(const git_tree_entry *entry, struct err *err);

/*
 * The content of the file at `path` below `tree`, up to out->limit (ERR_LIMIT "too_large").
 * ERR_NOTFOUND "not_found" when there is nothing; ERR_INVALID "not_a_file" when it is a folder, a
 * link or a submodule.
 */
int git_tree_read(struct buf *out, const git_tree *tree, const char *path, struct err *err);

/* What a call of libgit2 on our own mirror failed with: the mirror is damaged ("git_bad_object").
 */
int git_object_error(struct err *err, const char *what);

#include "runner/exec/git_tree.h"

#include <git2/blob.h>
#include <git2/commit.h>
#include <git2/errors.h>
#include <git2/odb.h>
#include <git2/repository.h>

#include "common/scope.h"
#include "runner/exec/exec.h"

enum { NAME_BYTES = 255 };

int git_object_error(struct err *err, const char *what)
{
	const git_error *last = git_error_last();

	return err_set(err, ERR_INTERNAL, "git_bad_object", "cannot read %.100s: %.300s", what,
		       last && last->message ? last->message : "it is not what its tree says");
}

int git_tree_open(git_tree **out, git_repository *repo, const git_oid *commit, const char *path,
		  struct err *err)
{
	git_commit *object = NULL;
	git_tree *root = NULL;
	git_tree_entry *entry = NULL;
	int rc = -1;

	if (git_commit_lookup(&object, repo, commit) < 0 || git_commit_tree(&root, object) < 0) {
		git_object_error(err, "the commit");
	} else if (!*path) {
		*out = root;
		root = NULL;
		rc = 0;
	} else if (git_tree_entry_bypath(&entry, root, path) < 0 ||
		   git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
		err_set(err, ERR_NOTFOUND, "folder_not_found",
			"there is no folder %.200s in the commit", path);
	} else if (git_tree_lookup(out, repo, git_tree_entry_id(entry)) < 0) {
		git_object_error(err, path);
	} else {
		rc = 0;
	}
	git_tree_entry_free(entry);
	git_tree_free(root);
	git_commit_free(object);
	return rc;
}

/* ---- names ---- */

/*
 * ".git" in all the spellings that some file system takes for it: another case, "git~1", blanks
 * and dots at the end, a stream (":") or a backslash after it.
 */
static bool means_git_folder(struct str name)
{
	if (str_is_i(str_slice(name, 0, 4), ".git"))
		name = str_after(name, 4);
	else if (str_is_i(str_slice(name, 0, 5), "git~1"))
		name = str_after(name, 5);
	else
		return false;
	while (name.len && (name.ptr[0] == ' ' || name.ptr[0] == '.'))
		name = str_after(name, 1);
	return name.len == 0 || name.ptr[0] == ':' || name.ptr[0] == '\\';
}

int git_tree_check_name(const git_tree_entry *entry, struct err *err)
{
	struct str name = str_from(git_tree_entry_name(entry));

	if (name.len > NAME_BYTES)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "a file name is longer than %d bytes: %.100s…", NAME_BYTES,
			       name.ptr);
	if (name.len == 0 || str_is(name, ".") || str_is(name, "..") ||
	    str_find(name, '/', 0) < name.len || means_git_folder(name))
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "a file may not be called \"" STR_FMT "\"", STR_ARG(name));
	if (str_is_i(name, ".gitmodules") && git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       ".gitmodules may not be a symbolic link");
	return 0;
}

/* ---- one file ---- */

int git_tree_read(struct buf *out, const git_tree *tree, const char *path, struct err *err)
{
	git_tree_entry *entry = NULL;
	git_blob *blob = NULL;
	git_odb *odb = NULL;
	git_object_t type;
	size_t size;
	int rc = -1;

	if (git_tree_entry_bypath(&entry, tree, path) < 0) {
		git_error_clear(); /* so that nobody takes it for the reason of something else */
		return err_set(err, ERR_NOTFOUND, "not_found", "there is no file %.200s", path);
	}
	git_filemode_t mode = git_tree_entry_filemode(entry);
	if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE)
		err_set(err, ERR_INVALID, "not_a_file", "%.200s is a %s, not a file", path,
			mode == GIT_FILEMODE_TREE   ? "folder"
			: mode == GIT_FILEMODE_LINK ? "symbolic link"
						    : "submodule");
	else if (git_repository_odb(&odb, git_tree_owner(tree)) < 0 ||
		 git_odb_read_header(&size, &type, odb, git_tree_entry_id(entry)) < 0)
		git_object_error(err, path);
	else if (out->limit && size > out->limit)
		err_set(err, ERR_LIMIT, "too_large", "%.200s has %zu bytes, more than %zu", path,
			size, out->limit);
	else if (git_blob_lookup(&blob, git_tree_owner(tree), git_tree_entry_id(entry)) < 0)
		git_object_error(err, path);
	else
		rc = buf_add(out, git_blob_rawcontent(blob), size);
	git_blob_free(blob);
	git_odb_free(odb);
	git_tree_entry_free(entry);
	return rc;
}

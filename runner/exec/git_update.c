#include "runner/exec/git_update.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/blob.h>
#include <git2/oid.h>
#include <git2/repository.h>
#include <limits.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/ignore.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_folder.h"
#include "runner/exec/git_pairs.h"
#include "runner/exec/git_tree.h"

struct writer {
	const struct git_update *update;
	struct git_tally *tally;
	struct git_left *left;
	struct exec *x;
	git_repository *repo;
	struct buf path; /* of the entry at hand, from the root of the context */
};

/* ---- files and links ---- */

/* What it points at is brought later; until then nothing is called that. */
static int leave_pointer(struct writer *w, struct git_folder *in, struct git_pointer *pointer,
			 bool executable, struct err *err)
{
	if (pointer->extended)
		return err_set(err, ERR_INVALID, "git_lfs",
			       "%.200s was stored by an extension of Git LFS, which we cannot undo",
			       w->path.ptr);
	if (git_folder_make(in, err) < 0)
		return -1;
	in->awaits = true;
	pointer->path = str_dup(buf_str(&w->path));
	pointer->executable = executable;
	git_left_add_pointer(w->left, pointer);
	return 0;
}

static int write_file(struct writer *w, struct git_folder *in, const char *name, struct str content,
		      bool executable, struct err *err)
{
	struct git_pointer pointer;

	if (git_pointer_read(&pointer, content))
		return leave_pointer(w, in, &pointer, executable, err);
	return git_folder_add_file(in, name, content, executable, w->update->time_s, err);
}

static int write_link(struct writer *w, struct git_folder *in, const char *name, struct str target,
		      struct err *err)
{
	if (target.len == 0 || target.len >= PATH_MAX || str_find(target, '\0', 0) < target.len)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "the symbolic link %.200s has no target that can be", w->path.ptr);
	return git_folder_add_link(in, name, target, w->update->time_s, err);
}

static int write_blob(struct writer *w, struct git_folder *in, const git_tree_entry *entry,
		      struct err *err)
{
	const char *name = git_tree_entry_name(entry);
	git_filemode_t mode = git_tree_entry_filemode(entry);
	git_blob *blob = NULL;
	int rc;

	if (git_blob_lookup(&blob, w->repo, git_tree_entry_id(entry)) < 0)
		return git_object_error(err, w->path.ptr);
	struct str content = { git_blob_rawcontent(blob), git_blob_rawsize(blob) };
	if (mode == GIT_FILEMODE_LINK)
		rc = write_link(w, in, name, content, err);
	else
		rc = write_file(w, in, name, content, mode == GIT_FILEMODE_BLOB_EXECUTABLE, err);
	w->tally->written++;
	w->tally->written_bytes += (int64_t)content.len;
	git_blob_free(blob);
	return rc;
}

/* The content of a submodule stays for those who know how to get from one commit to the other. */
static int leave_gitlink(struct writer *w, struct git_folder *in, const struct git_pair *pair,
			 struct err *err)
{
	struct git_folder f = { .up = in, .name = pair->name, .fd = -1 };
	struct git_gitlink link = { .commit = *git_tree_entry_id(pair->after) };

	if (git_folder_make(&f, err) < 0)
		return -1;
	git_folder_leave(&f, w->update->time_s);
	if (git_entry_is_gitlink(pair->before))
		link.before = *git_tree_entry_id(pair->before);
	link.path = str_dup(buf_str(&w->path));
	git_left_add_gitlink(w->left, &link);
	return 0;
}

/* ---- folders ---- */

static int write_trees(struct writer *w, struct git_folder *in, const git_tree *before,
		       const git_tree *after, struct err *err);

/*
 * An ignored folder is there only for the sake of what is re-included below it, and goes with the
 * last of that.
 */
static int write_folder(struct writer *w, struct git_folder *f, const git_tree_entry *before,
			const git_tree_entry *after, bool ignored, struct err *err)
{
	git_tree *old = NULL, *new = NULL;
	int rc = 0;

	if (!ignored && !before && git_folder_make(f, err) < 0)
		return -1;
	if ((before && git_tree_lookup(&old, w->repo, git_tree_entry_id(before)) < 0) ||
	    git_tree_lookup(&new, w->repo, git_tree_entry_id(after)) < 0)
		rc = git_object_error(err, w->path.ptr);
	if (rc == 0)
		rc = write_trees(w, f, old, new, err);
	if (rc == 0 && ignored && f->changed)
		rc = git_folder_remove_if_empty(f, err);
	git_tree_free(old);
	git_tree_free(new);
	return rc;
}

/* ---- the walk ---- */

/* Is there one way from the one to the other, without removing it in between? */
static bool is_followed(const struct git_pair *pair)
{
	return (git_entry_is_folder(pair->before) && git_entry_is_folder(pair->after)) ||
	       (git_entry_is_gitlink(pair->before) && git_entry_is_gitlink(pair->after));
}

static int write_after(struct writer *w, struct git_folder *in, const struct git_pair *pair,
		       bool ignored, struct err *err)
{
	if (git_entry_is_folder(pair->after)) {
		struct git_folder f = { .up = in, .name = pair->name, .fd = -1 };
		const git_tree_entry *before =
			git_entry_is_folder(pair->before) ? pair->before : NULL;
		int rc = write_folder(w, &f, before, pair->after, ignored, err);
		git_folder_leave(&f, w->update->time_s);
		return rc;
	}
	if (git_entry_is_gitlink(pair->after))
		return leave_gitlink(w, in, pair, err);
	if (ignored)
		return 0;
	return write_blob(w, in, pair->after, err);
}

/* May something below it be re-included? */
static bool holds(const git_tree_entry *entry)
{
	return git_entry_is_folder(entry) || git_entry_is_gitlink(entry);
}

static int write_pair(struct writer *w, struct git_folder *in, const struct git_pair *pair,
		      struct err *err)
{
	bool holds_others = holds(pair->before) || holds(pair->after);
	struct ignore_verdict verdict = { 0 };

	ignore_match(w->update->ignore, buf_str(&w->path), &verdict);
	w->tally->ignored += verdict.ignored && pair->after;
	if (verdict.ignored &&
	    (!holds_others || ignore_may_prune(w->update->ignore, buf_str(&w->path))))
		return 0;
	if (pair->before && !is_followed(pair) && git_folder_remove(in, pair->name, err) < 0)
		return -1;
	if (!pair->after) {
		w->tally->removed++;
		return 0;
	}
	return write_after(w, in, pair, verdict.ignored, err);
}

static int write_trees(struct writer *w, struct git_folder *in, const git_tree *before,
		       const git_tree *after, struct err *err)
{
	struct git_pairs pairs;
	struct git_pair pair;
	size_t len = w->path.len;
	int rc = 0;

	if (git_pairs_open(&pairs, before, after, err) < 0)
		return -1;
	while (rc == 0 && git_pairs_next(&pairs, &pair)) {
		buf_addf(&w->path, "%s%s", len ? "/" : "", pair.name);
		rc = exec_may_go_on(w->x, err);
		if (rc == 0)
			rc = write_pair(w, in, &pair, err);
		buf_truncate(&w->path, len);
	}
	git_pairs_close(&pairs);
	return rc;
}

/* ---- the whole ---- */

/* The folder at `prefix`, step by step: no link on the way is followed. */
static int open_prefix(struct git_folder *out, int root_fd, const char *prefix, struct err *err)
{
	struct str rest = str_from(prefix), part;
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && rest.len && str_split(&rest, '/', &part)) {
		cleanup_free char *name = str_dup(part);
		int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = inner;
	}
	*out = (struct git_folder){ .name = prefix, .fd = fd };
	return fd < 0 ? fs_fail(err, "open the folder", *prefix ? prefix : "of the context") : 0;
}

/* Of the folder at `prefix`, where the root of the context is at depth 1. */
static int64_t depth_of(const char *prefix)
{
	int64_t depth = *prefix ? 2 : 1;

	for (; *prefix; prefix++)
		depth += *prefix == '/';
	return depth;
}

int git_update_folder(int root_fd, const struct git_update *update, struct git_tally *tally,
		      struct git_left *left, struct exec *x, struct err *err)
{
	struct writer w = { update, tally, left, x, git_tree_owner(update->after), BUF_INIT };
	struct git_folder root;

	if (git_tally_update(tally, update->before, update->after, depth_of(update->prefix), x,
			     err) < 0 ||
	    open_prefix(&root, root_fd, update->prefix, err) < 0)
		return -1;
	/* It was made for this tree, however little is put into it. */
	root.changed = !update->before;
	buf_adds(&w.path, update->prefix);
	int rc = write_trees(&w, &root, update->before, update->after, err);
	git_folder_leave(&root, update->time_s);
	buf_release(&w.path);
	return rc;
}

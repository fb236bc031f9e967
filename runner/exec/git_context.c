#include "runner/exec/git_context.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/blob.h>
#include <git2/repository.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/ignore.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/runlog.h"

enum {
	LFS_POINTER_BYTES = 1024, /* pointers are shorter: git-lfs spec v1 */
	NAMED_MAX = 10,           /* pointers and submodules that the log names */
};

struct writer {
	struct exec *x;
	const struct ignore *ignore;
	struct timespec times[2];
	struct buf path; /* of the entry at hand, from the root of the context */
	int64_t files, bytes, ignored;
	int submodules, pointers;
};

/* A folder on the way down; it is made when the first thing is put into it. */
struct level {
	struct level *up;
	const char *name;
	int fd; /* -1: not made */
};

static int write_error(const struct writer *w, struct err *err)
{
	if (errno == EEXIST)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "two entries of a folder have one name: %.200s", w->path.ptr);
	return fs_fail(err, "write", w->path.ptr);
}

/* ---- folders ---- */

static int make_level(struct writer *w, struct level *level, struct err *err)
{
	if (level->fd >= 0)
		return 0;
	if (make_level(w, level->up, err) < 0)
		return -1;
	if (mkdirat(level->up->fd, level->name, 0755) < 0)
		return write_error(w, err);
	level->fd =
		openat(level->up->fd, level->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return level->fd < 0 ? write_error(w, err) : 0;
}

/* The time last: what is put into a folder changes it. */
static void leave_level(const struct writer *w, struct level *level)
{
	if (level->fd < 0)
		return;
	futimens(level->fd, w->times);
	close(level->fd);
}

/* ---- files ---- */

static bool is_lfs_pointer(struct str content)
{
	return content.len < LFS_POINTER_BYTES &&
	       str_starts(content, "version https://git-lfs.github.com/spec/v1\n");
}

static int write_file(struct writer *w, const struct level *in, const char *name,
		      struct str content, mode_t mode, struct err *err)
{
	if (is_lfs_pointer(content) && w->pointers++ < NAMED_MAX)
		runlog_say(w->x->log, "%.300s is a Git LFS pointer", w->path.ptr);
	cleanup_fd int fd =
		openat(in->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return write_error(w, err);
	if (fs_write_all(fd, content, err) < 0)
		return -1;
	w->files++;
	w->bytes += (int64_t)content.len;
	return futimens(fd, w->times) < 0 ? write_error(w, err) : 0;
}

static int write_link(struct writer *w, const struct level *in, const char *name,
		      struct str content, struct err *err)
{
	cleanup_free char *target = str_dup(content);

	if (symlinkat(target, in->fd, name) < 0)
		return write_error(w, err);
	w->files++;
	return utimensat(in->fd, name, w->times, AT_SYMLINK_NOFOLLOW) < 0 ? write_error(w, err) : 0;
}

static int write_blob(struct writer *w, const struct level *in, const git_tree_entry *entry,
		      git_repository *repo, struct err *err)
{
	const char *name = git_tree_entry_name(entry);
	git_filemode_t mode = git_tree_entry_filemode(entry);
	git_blob *blob = NULL;
	int rc;

	if (git_blob_lookup(&blob, repo, git_tree_entry_id(entry)) < 0)
		return git_object_error(err, w->path.ptr);
	struct str content = { git_blob_rawcontent(blob), git_blob_rawsize(blob) };
	if (mode == GIT_FILEMODE_LINK)
		rc = write_link(w, in, name, content, err);
	else
		rc = write_file(w, in, name, content,
				mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644, err);
	git_blob_free(blob);
	return rc;
}

static int write_submodule(struct writer *w, struct level *in, const git_tree_entry *entry,
			   struct err *err)
{
	struct level level = { .up = in, .name = git_tree_entry_name(entry), .fd = -1 };

	if (w->submodules++ < NAMED_MAX)
		runlog_say(w->x->log, "%.300s is a submodule and stays empty", w->path.ptr);
	int rc = make_level(w, &level, err);
	leave_level(w, &level);
	return rc;
}

/* ---- the walk ---- */

static int write_tree(struct writer *w, struct level *level, const git_tree *tree, struct err *err);

static int write_folder(struct writer *w, struct level *in, const git_tree_entry *entry,
			git_repository *repo, bool ignored, struct err *err)
{
	struct level level = { .up = in, .name = git_tree_entry_name(entry), .fd = -1 };
	git_tree *inner = NULL;

	if (ignored && ignore_may_prune(w->ignore, buf_str(&w->path)))
		return 0;
	if (!ignored && make_level(w, &level, err) < 0)
		return -1;
	int rc = git_tree_lookup(&inner, repo, git_tree_entry_id(entry)) < 0
			 ? git_object_error(err, w->path.ptr)
			 : write_tree(w, &level, inner, err);
	git_tree_free(inner);
	leave_level(w, &level);
	return rc;
}

static int write_entry(struct writer *w, struct level *level, const git_tree_entry *entry,
		       git_repository *repo, struct err *err)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);
	struct ignore_verdict verdict = { 0 };

	ignore_match(w->ignore, buf_str(&w->path), &verdict);
	w->ignored += verdict.ignored;
	if (mode == GIT_FILEMODE_TREE)
		return write_folder(w, level, entry, repo, verdict.ignored, err);
	if (verdict.ignored)
		return 0;
	if (make_level(w, level, err) < 0)
		return -1;
	if (mode == GIT_FILEMODE_COMMIT)
		return write_submodule(w, level, entry, err);
	return write_blob(w, level, entry, repo, err);
}

static int write_tree(struct writer *w, struct level *level, const git_tree *tree, struct err *err)
{
	git_repository *repo = git_tree_owner(tree);
	size_t n = git_tree_entrycount(tree), len = w->path.len;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
		buf_addf(&w->path, "%s%s", len ? "/" : "", git_tree_entry_name(entry));
		rc = exec_may_go_on(w->x, err);
		if (rc == 0)
			rc = write_entry(w, level, entry, repo, err);
		buf_truncate(&w->path, len);
	}
	return rc;
}

static int check_pointers(const struct writer *w, struct err *err)
{
	if (w->submodules > NAMED_MAX)
		runlog_say(w->x->log, "%d submodules in all", w->submodules);
	if (w->pointers == 0)
		return 0;
	return err_set(err, ERR_INVALID, "git_lfs",
		       "%d files of the context are only pointers to files in Git LFS",
		       w->pointers);
}

int git_context_write(const char *dir, const git_tree *tree, int64_t commit_time_s,
		      const struct ignore *ignore, struct exec *x, struct err *err)
{
	struct timespec time = { .tv_sec = commit_time_s > 0 ? commit_time_s : 0 };
	struct writer w = { .x = x, .ignore = ignore, .times = { time, time } };
	struct level root = { .fd = -1 };

	if (mkdir(dir, 0755) < 0 ||
	    (root.fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return fs_fail(err, "make the folder", dir);
	int rc = write_tree(&w, &root, tree, err);
	leave_level(&w, &root);
	buf_release(&w.path);
	if (rc < 0)
		return -1;
	runlog_say(x->log, "Context: %lld files, %lld bytes; %lld left out by the ignore rules",
		   (long long)w.files, (long long)w.bytes, (long long)w.ignored);
	return check_pointers(&w, err);
}

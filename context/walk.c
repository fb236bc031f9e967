#include "context/walk.h"

#include <errno.h>
#include <fcntl.h>

#include "common/scope.h"

struct walk {
	const struct walk_opts *opts;
	struct buf path; /* of the folder that is being read, without a slash at its end */
	int depth;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(struct strvec *names, int fd, const struct walk *w, struct err *err)
{
	/* The stream takes its descriptor: give it one of its own. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = own >= 0 ? fdopendir(own) : NULL;

	if (!dir) {
		int saved = errno;
		if (own >= 0)
			close(own);
		return err_set_errno(err, ERR_INVALID, "context_unreadable", saved,
				     "cannot read the folder '%.200s'",
				     w->path.len ? w->path.ptr : ".");
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strvec_push(names, entry->d_name);
	}
	if (names->len)
		qsort(names->items, names->len, sizeof *names->items, by_name);
	return 0;
}

static int walk_into(struct walk *w, int fd, struct err *err);

static int visit_folder(struct walk *w, const struct walk_entry *entry, struct err *err)
{
	if (entry->verdict.ignored && !w->opts->all &&
	    ignore_may_prune(w->opts->rules, entry->path))
		return 0;
	if (++w->depth > WALK_DEPTH_MAX)
		return err_set(err, ERR_INVALID, "context_too_deep",
			       "'%.100s…' is more than %d folders deep", w->path.ptr,
			       WALK_DEPTH_MAX);
	cleanup_fd int fd = openat(entry->parent_fd, entry->name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "context_unreadable", errno,
				     "cannot read the folder '%.200s'", w->path.ptr);
	int rc = walk_into(w, fd, err);
	w->depth--;
	return rc;
}

static int visit(struct walk *w, int fd, const char *name, struct err *err)
{
	size_t before = w->path.len;
	struct walk_entry entry = { .parent_fd = fd, .name = name };
	int rc = 0;

	if (before)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
	entry.path = buf_str(&w->path);
	if (fstatat(fd, name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0) {
		/* What vanished between listing and looking was not there. */
		if (errno != ENOENT)
			rc = err_set_errno(err, ERR_INVALID, "context_unreadable", errno,
					   "'%.200s'", w->path.ptr);
	} else {
		ignore_match(w->opts->rules, entry.path, &entry.verdict);
		rc = w->opts->entry(&entry, w->opts->data, err);
		if (rc == 0 && S_ISDIR(entry.st.st_mode))
			rc = visit_folder(w, &entry, err);
	}
	buf_truncate(&w->path, before);
	return rc;
}

static int walk_into(struct walk *w, int fd, struct err *err)
{
	cleanup_strvec struct strvec names = { 0 };

	if (list_names(&names, fd, w, err) < 0)
		return -1;
	STRVEC_FOREACH (name, &names) {
		if (visit(w, fd, *name, err) < 0)
			return -1;
	}
	return 0;
}

int walk_folder(int fd, const struct walk_opts *opts, struct err *err)
{
	struct walk w = { .opts = opts };
	int rc = walk_into(&w, fd, err);

	buf_release(&w.path);
	return rc;
}

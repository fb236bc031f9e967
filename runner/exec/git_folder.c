#include "runner/exec/git_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"

/* Not modified, but made at `time_s`: [0] is the time of access. */
struct times {
	struct timespec of[2];
};

static struct times times_of(int64_t time_s)
{
	struct timespec time = { .tv_sec = time_s > 0 ? time_s : 0 };

	return (struct times){ { time, time } };
}

/* ---- opening and leaving ---- */

static int open_it(struct git_folder *f)
{
	f->fd = openat(f->up->fd, f->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return f->fd < 0 ? -1 : 0;
}

int git_folder_make(struct git_folder *f, struct err *err)
{
	if (f->fd >= 0)
		return 0;
	if (git_folder_make(f->up, err) < 0)
		return -1;
	if (open_it(f) == 0)
		return 0;
	if (errno != ENOENT)
		return fs_fail(err, "open the folder", f->name);
	if (mkdirat(f->up->fd, f->name, 0755) < 0 || open_it(f) < 0)
		return fs_fail(err, "make the folder", f->name);
	f->up->changed = true;
	f->changed = true;
	return 0;
}

int git_folder_find(struct git_folder *f, struct err *err)
{
	if (f->fd >= 0)
		return 0;
	if (git_folder_find(f->up, err) < 0)
		return -1;
	if (f->up->fd >= 0 && open_it(f) < 0 && errno != ENOENT)
		return fs_fail(err, "open the folder", f->name);
	return 0;
}

void git_folder_leave(struct git_folder *f, int64_t time_s)
{
	if (f->fd < 0)
		return;
	if (f->changed)
		futimens(f->fd, times_of(time_s).of);
	close(f->fd);
	f->fd = -1;
}

/* ---- removing ---- */

int git_folder_remove(struct git_folder *f, const char *name, struct err *err)
{
	if (git_folder_find(f, err) < 0)
		return -1;
	if (f->fd < 0)
		return 0;
	bool gone = unlinkat(f->fd, name, 0) == 0;
	if (!gone && errno == ENOENT)
		return 0;
	f->changed = true;
	return gone ? 0 : fs_remove_tree_at(f->fd, name, err);
}

int git_folder_remove_if_empty(struct git_folder *f, struct err *err)
{
	if (f->fd < 0 || f->awaits)
		return 0;
	if (unlinkat(f->up->fd, f->name, AT_REMOVEDIR) == 0)
		f->up->changed = true;
	else if (errno != ENOTEMPTY && errno != EEXIST)
		return fs_fail(err, "remove the folder", f->name);
	return 0;
}

/* ---- adding ---- */

static int cannot_add(const char *name, struct err *err)
{
	if (errno == EEXIST)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "two entries of a folder have one name: %.200s", name);
	return fs_fail(err, "write", name);
}

int git_folder_add_file(struct git_folder *f, const char *name, struct str content, bool executable,
			int64_t time_s, struct err *err)
{
	if (git_folder_make(f, err) < 0)
		return -1;
	cleanup_fd int fd =
		openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       executable ? 0755 : 0644);
	if (fd < 0)
		return cannot_add(name, err);
	f->changed = true;
	if (fs_write_all(fd, content, err) < 0)
		return -1;
	return futimens(fd, times_of(time_s).of) < 0 ? cannot_add(name, err) : 0;
}

int git_folder_add_link(struct git_folder *f, const char *name, struct str target, int64_t time_s,
			struct err *err)
{
	cleanup_free char *text = str_dup(target);

	if (git_folder_make(f, err) < 0)
		return -1;
	if (symlinkat(text, f->fd, name) < 0)
		return cannot_add(name, err);
	f->changed = true;
	return utimensat(f->fd, name, times_of(time_s).of, AT_SYMLINK_NOFOLLOW) < 0
		       ? cannot_add(name, err)
		       : 0;
}

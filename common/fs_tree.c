/*
 * fs_remove_tree: rm -rf of a tree that a hostile build may have made.
 *
 * Every step is taken from an open folder (openat, unlinkat), so that no name is resolved twice
 * and no symbolic link is followed. A folder that lies on another mount, also a bind mount of the
 * same file system, is left alone. However deep the tree is, at most LEVELS folders are open: what
 * lies deeper is first moved up to the root of the tree, and found there by the next pass.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"

enum { LEVELS = 48 };

struct level {
	DIR *dir;
	char *name; /* in the folder above */
};

struct removal {
	struct level levels[LEVELS];
	int depth; /* of levels in use; levels[0] is the root of the tree */
	uint64_t mount;
	uint64_t removed; /* in this pass */
	uint64_t moved;   /* names given by move_up() */
	bool failed;      /* in this pass */
	struct err first; /* failure of this pass */
};

static void fail(struct removal *r, const char *doing, const char *name)
{
	if (!r->failed)
		fs_fail(&r->first, doing, name);
	r->failed = true;
}

static int folder_fd(const struct removal *r)
{
	return dirfd(r->levels[r->depth - 1].dir);
}

/* Which mount a folder is on; where the kernel cannot say, which device. */
static int mount_of(int fd, uint64_t *out)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -1;
	uint64_t device = ((uint64_t)st.stx_dev_major << 32) | st.stx_dev_minor;
	*out = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : device;
	return 0;
}

/* Our own folders may have been left without r, w or x; a name cannot be chmod-ed safely. */
static int open_unreadable(int at, const char *name)
{
	cleanup_fd int path_fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (path_fd < 0)
		return -1;
	cleanup_free char *link = xasprintf("/proc/self/fd/%d", path_fd);
	if (chmod(link, 0700) < 0)
		return -1;
	return openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		fd = open_unreadable(at, name);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700); /* if it matters, the removal will fail and say so */
	return fd;
}

/* Too deep: the folder becomes a child of the root, to be met again in the next pass. */
static void move_up(struct removal *r, int fd, const char *name)
{
	int rc;
	do {
		char fresh[40];
		snprintf(fresh, sizeof fresh, ".removing-%llu", (unsigned long long)r->moved++);
		rc = renameat(fd, name, dirfd(r->levels[0].dir), fresh);
	} while (rc < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
	if (rc < 0)
		fail(r, "move up", name);
	else
		r->removed++;
}

static void enter(struct removal *r, const char *name)
{
	int at = folder_fd(r);
	uint64_t mount = 0;
	int fd = open_folder(at, name);

	if (fd < 0) {
		fail(r, "open", name);
		return;
	}
	if (mount_of(fd, &mount) < 0 || mount != r->mount) {
		errno = EXDEV;
		fail(r, "leave the mount by", name);
		close(fd);
		return;
	}
	if (r->depth == LEVELS) {
		move_up(r, at, name);
		close(fd);
		return;
	}
	DIR *dir = fdopendir(fd);
	if (!dir) {
		fail(r, "read", name);
		close(fd);
		return;
	}
	r->levels[r->depth++] = (struct level){ dir, xstrdup(name) };
}

static void leave(struct removal *r)
{
	struct level *done = &r->levels[--r->depth];

	closedir(done->dir);
	if (unlinkat(folder_fd(r), done->name, AT_REMOVEDIR) == 0)
		r->removed++;
	else if (errno != ENOENT)
		fail(r, "remove the folder", done->name);
	free(done->name);
}

static void remove_entry(struct removal *r, const struct dirent *entry)
{
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return;
	if (entry->d_type != DT_DIR) {
		if (unlinkat(folder_fd(r), entry->d_name, 0) == 0) {
			r->removed++;
			return;
		}
		if (errno == ENOENT)
			return;
		if (errno != EISDIR) {
			fail(r, "remove", entry->d_name);
			return;
		}
	}
	enter(r, entry->d_name);
}

/* Once over the whole tree. Leaves the root open and, if nothing failed or moved, empty. */
static void pass(struct removal *r)
{
	r->removed = 0;
	rewinddir(r->levels[0].dir);
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(r->levels[r->depth - 1].dir);
		if (entry) {
			remove_entry(r, entry);
			continue;
		}
		if (errno)
			fail(r, "read", "a folder");
		if (r->depth == 1)
			return;
		leave(r);
	}
}

static int remove_folder(int at, const char *path, int fd, struct err *err)
{
	struct removal r = { 0 };

	if (mount_of(fd, &r.mount) < 0 || !(r.levels[0].dir = fdopendir(fd))) {
		close(fd);
		return fs_fail(err, "read", path);
	}
	r.depth = 1;
	/*
	 * A folder that was moved up made the one it came from look full for a moment, and a
	 * folder is not promised to list names that were added while it is being read. So only
	 * what is left when a pass changes nothing is a failure.
	 */
	do {
		r.failed = false;
		pass(&r);
	} while (r.removed > 0);
	closedir(r.levels[0].dir);
	if (r.failed)
		return err_set(err, r.first.code, r.first.word, "removing %.200s: %.300s", path,
			       r.first.msg);
	if (unlinkat(at, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fs_fail(err, "remove the folder", path);
	return 0;
}

int fs_remove_tree_at(int at, const char *path, struct err *err)
{
	/* A slash at the end would make a symbolic link be followed. */
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	cleanup_free char *name = xstrndup(path, n);

	int fd = open_folder(at, name);
	if (fd >= 0)
		return remove_folder(at, name, fd, err);
	if (errno == ENOENT)
		return 0;
	if (errno != ENOTDIR && errno != ELOOP)
		return fs_fail(err, "open", path);
	if (unlinkat(at, name, 0) < 0 && errno != ENOENT)
		return fs_fail(err, "remove", path);
	return 0;
}

int fs_remove_tree(const char *path, struct err *err)
{
	return fs_remove_tree_at(AT_FDCWD, path, err);
}

#include "runner/exec/git_lfs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"

enum {
	PIECE_BYTES = 256 * 1024,
	COPY_BYTES = 64 * 1024 * 1024, /* at once, inside the kernel, where nobody can stop us */
};

void git_lfs_store_init(struct git_lfs_store *out, const char *mirror, const struct exec *x)
{
	*out = (struct git_lfs_store){ .dir = xasprintf("%s.lfs", mirror), .x = x };
}

void git_lfs_store_release(struct git_lfs_store *s)
{
	free(s->dir);
	*s = (struct git_lfs_store){ 0 };
}

static char *path_of(const struct git_lfs_store *s, const unsigned char id[SHA256_BYTES])
{
	cleanup_free char *hex = hex_encode(id, SHA256_BYTES);
	return xasprintf("%s/%.2s/%s", s->dir, hex, hex);
}

/* ---- looking ---- */

/* 1 when the file holds what its name says, 0 when not. */
static int is_undamaged(const struct git_lfs_store *s, int fd, const struct git_lfs_object *o,
			struct err *err)
{
	cleanup_free char *piece = xmalloc(PIECE_BYTES);
	struct sha256 *hash = sha256_create();
	unsigned char id[SHA256_BYTES];
	int64_t bytes = 0;
	ssize_t n = 1;

	while (n > 0 && bytes <= o->size) {
		if (exec_may_go_on(s->x, err) < 0) {
			sha256_finish(hash, NULL);
			return -1;
		}
		n = read(fd, piece, PIECE_BYTES);
		bytes += n > 0 ? n : 0;
		sha256_update(hash, (struct str){ piece, n > 0 ? (size_t)n : 0 });
	}
	sha256_finish(hash, id);
	return n == 0 && bytes == o->size && memcmp(id, o->sha256, sizeof id) == 0;
}

int git_lfs_store_look(const struct git_lfs_store *s, struct git_lfs_object *o, struct err *err)
{
	cleanup_free char *path = path_of(s, o->sha256);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int good = 0;

	o->is_here = false;
	if (fd < 0)
		return errno == ENOENT ? 0 : fs_fail(err, "open", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == o->size)
		good = is_undamaged(s, fd, o, err);
	if (good < 0)
		return -1;
	o->is_here = good;
	if (good)
		futimens(fd, NULL);
	else
		unlink(path);
	return 0;
}

/* ---- adding ---- */

int git_lfs_store_begin(const struct git_lfs_store *s, int *fd, char **path, struct err *err)
{
	char *name = fs_join(s->x->work, "lfs-object");

	*fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0) {
		fs_fail(err, "make", name);
		free(name);
		return -1;
	}
	*path = name;
	return 0;
}

int git_lfs_store_add(const struct git_lfs_store *s, const char *path,
		      const struct git_lfs_object *o, struct err *err)
{
	cleanup_free char *name = path_of(s, o->sha256);
	cleanup_free char *folder = xstrndup(name, strlen(name) - 2 * (size_t)SHA256_BYTES - 1);

	if (fs_mkdirs(folder, 0700, err) < 0)
		return -1;
	return rename(path, name) < 0 ? fs_fail(err, "keep", name) : 0;
}

/* ---- writing ---- */

static int open_beneath(int root_fd, const char *folder)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, root_fd, *folder ? folder : ".", &how, sizeof how);
}

/* For file systems between which the kernel does not copy, from where both stand. */
static int copy_by_hand(const struct git_lfs_store *s, int from, int to, int64_t left,
			struct err *err)
{
	cleanup_free char *piece = xmalloc(PIECE_BYTES);

	while (left > 0) {
		ssize_t n = read(from, piece, PIECE_BYTES);
		if (n <= 0)
			return err_set(err, ERR_INTERNAL, "storage",
				       "a kept LFS file cannot be read to its end");
		if (exec_may_go_on(s->x, err) < 0 ||
		    fs_write_all(to, (struct str){ piece, (size_t)n }, err) < 0)
			return -1;
		left -= n;
	}
	return 0;
}

/* By the kernel, which on some file systems shares the blocks instead of copying them. */
static int copy(const struct git_lfs_store *s, int from, int to, int64_t left, struct err *err)
{
	while (left > 0) {
		size_t want = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
		ssize_t n = copy_file_range(from, NULL, to, NULL, want, 0);
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
			return fs_fail(err, "write to", "a file");
		if (n <= 0)
			return copy_by_hand(s, from, to, left, err);
		if (exec_may_go_on(s->x, err) < 0)
			return -1;
		left -= n;
	}
	return 0;
}

static int create(int folder, const struct git_pointer *p, const char *name, struct err *err)
{
	mode_t mode = p->executable ? 0755 : 0644;
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_INVALID, "git_unsafe_tree",
			       "two entries of a folder have one name: %.200s", p->path);
	return fd < 0 ? fs_fail(err, "write", p->path) : fd;
}

int git_lfs_store_write(const struct git_lfs_store *s, int root_fd, const struct git_pointer *p,
			int64_t time_s, struct err *err)
{
	const struct timespec time = { .tv_sec = time_s > 0 ? time_s : 0 };
	const struct timespec times[] = { time, time };
	const char *slash = strrchr(p->path, '/'), *name = slash ? slash + 1 : p->path;
	cleanup_free char *parent = xstrndup(p->path, slash ? (size_t)(slash - p->path) : 0);
	cleanup_free char *kept = path_of(s, p->sha256);
	cleanup_fd int folder = open_beneath(root_fd, parent);
	cleanup_fd int from = open(kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (folder < 0)
		return fs_fail(err, "write", p->path);
	if (from < 0)
		return fs_fail(err, "open", kept);
	cleanup_fd int to = create(folder, p, name, err);
	if (to < 0)
		return -1;
	if (copy(s, from, to, p->size, err) < 0)
		return err_wrap(err, "%.200s", p->path);
	/* The folder's too, which the new name has changed. */
	if (futimens(to, times) < 0 || futimens(folder, times) < 0)
		return fs_fail(err, "set the time of", p->path);
	return 0;
}

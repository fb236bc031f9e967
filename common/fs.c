#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/scope.h"

int fs_fail(struct err *err, const char *doing, const char *path)
{
	int errnum = errno;
	enum err_code code = ERR_INTERNAL;
	bool full = errnum == ENOSPC || errnum == EDQUOT;

	if (errnum == ENOENT || errnum == ENOTDIR)
		code = ERR_NOTFOUND;
	else if (errnum == EACCES || errnum == EPERM || errnum == EROFS)
		code = ERR_DENIED;
	else if (full)
		code = ERR_UNAVAILABLE;
	return err_set_errno(err, code, full ? "disk_full" : "storage", errnum, "cannot %s %.200s",
			     doing, path);
}

static int make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		return 0;
	int errnum = errno;
	struct stat st;
	bool there = stat(path, &st) == 0;
	if (there && S_ISDIR(st.st_mode))
		return 0;
	errno = there ? ENOTDIR : errnum;
	return -1;
}

int fs_mkdirs(const char *path, mode_t mode, struct err *err)
{
	cleanup_free char *part = xstrdup(path);

	for (char *p = part; *p; p++) {
		if (*p != '/' || p == part)
			continue;
		*p = '\0';
		if (make_folder(part, mode) < 0)
			return fs_fail(err, "make the folder", part);
		*p = '/';
	}
	return make_folder(path, mode) < 0 ? fs_fail(err, "make the folder", path) : 0;
}

int fs_read(struct buf *out, const char *path, struct err *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fs_fail(err, "open", path);
	size_t before = out->len;
	for (;;) {
		char piece[16384];
		ssize_t n = read(fd, piece, sizeof piece);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fs_fail(err, "read", path);
			break;
		}
		if (buf_add(out, piece, (size_t)n) < 0) {
			err_set(err, ERR_LIMIT, "too_large", "%.200s is larger than %zu bytes",
				path, out->limit);
			break;
		}
	}
	buf_truncate(out, before);
	return -1;
}

int fs_write_all(int fd, struct str data, struct err *err)
{
	while (data.len) {
		ssize_t n = write(fd, data.ptr, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fs_fail(err, "write to", "a file");
		data = str_after(data, (size_t)n);
	}
	return 0;
}

/* A rename is only durable when the folder that holds the name is. */
static int sync_parent(const char *path, struct err *err)
{
	cleanup_free char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash == folder)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	cleanup_fd int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return fs_fail(err, "make durable the folder of", path);
	return 0;
}

int fs_write_atomic(const char *path, struct str data, mode_t mode, struct err *err)
{
	cleanup_free char *temporary = xasprintf("%s.XXXXXX", path);
	cleanup_fd int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fs_fail(err, "make a temporary file beside", path);

	int rc = fs_write_all(fd, data, err);
	if (rc < 0)
		err_wrap(err, "%.200s", path);
	else if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
		rc = fs_fail(err, "write", path);
	if (rc < 0) {
		unlink(temporary);
		return -1;
	}
	return sync_parent(path, err);
}

int fs_free_bytes(const char *path, uint64_t *out, struct err *err)
{
	struct statvfs st;
	if (statvfs(path, &st) < 0)
		return fs_fail(err, "ask for the free space of", path);
	*out = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

bool fs_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

bool fs_is_private(const char *path, const struct stat *st)
{
	if ((st->st_mode & 077) == 0)
		return true;
	/* systemd grants a service its credentials by an ACL, which shows as group bits. */
	const char *granted = getenv("CREDENTIALS_DIRECTORY");
	return granted && *granted && str_starts(str_from(path), granted) &&
	       path[strlen(granted)] == '/' && (st->st_mode & 037) == 0;
}

char *fs_program_dir(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0)
		return xstrdup(".");
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	return xstrndup(path, slash && slash != path ? (size_t)(slash - path) : 1);
}

char *fs_join(const char *base, const char *relative)
{
	size_t n = strlen(base);

	while (n > 1 && base[n - 1] == '/')
		n--;
	while (*relative == '/')
		relative++;
	if (n == 0)
		return xstrdup(relative);
	if (*relative == '\0')
		return xstrndup(base, n);
	return xasprintf("%.*s%s%s", (int)n, base, n == 1 && *base == '/' ? "" : "/", relative);
}

/* What the owner of a lock wrote as the first line of its file. */
static char *first_line(int fd)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof text, 0);
	struct str line = { text, n > 0 ? (size_t)n : 0 };
	return str_dup(str_slice(line, 0, str_find(line, '\n', 0)));
}

int fs_lock(int *out_fd, const char *path, char **holder, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fs_fail(err, "open the lock file", path);
	int rc;
	do {
		rc = flock(fd, LOCK_EX | LOCK_NB);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0) {
		*out_fd = fd;
		return 0;
	}
	if (errno != EWOULDBLOCK) {
		fs_fail(err, "lock", path);
	} else {
		if (holder)
			*holder = first_line(fd);
		err_set(err, ERR_CONFLICT, "locked", "%.200s is locked by another process", path);
	}
	close(fd);
	return -1;
}

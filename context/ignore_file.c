#include "context/ignore_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/scope.h"

/* So large that it is something else under this name; smaller ones are told their ceiling. */
enum { HUGE_BYTES = 16 << 20, PIECE_BYTES = 16 << 10 };

static int invalid(struct err *err, const char *name, const char *why)
{
	return err_set(err, ERR_INVALID, "ignore_invalid", "%.200s %s", name, why);
}

/* Without waiting: a pipe has no writer. */
static int open_file(int context_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	if (name[0] == '/')
		return open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return (int)syscall(SYS_openat2, context_fd, name, &how, sizeof how);
}

static int read_all(struct buf *text, int fd, const char *name, size_t limit_bytes, struct err *err)
{
	ssize_t n;

	do {
		if (text->len > limit_bytes)
			return err_set(err, ERR_INVALID, "ignore_too_large",
				       "%.200s has more than %zu bytes", name, limit_bytes);
		buf_reserve(text, PIECE_BYTES);
		n = read(fd, text->ptr + text->len, PIECE_BYTES);
		if (n > 0)
			buf_grown(text, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return err_set_errno(err, ERR_INVALID, "ignore_invalid", errno, "%.200s", name);
	return 0;
}

/* 1: read into *text; 0: there is none; -1: there is something else under that name. */
static int read_one(struct buf *text, int context_fd, const char *name, size_t limit_bytes,
		    struct err *err)
{
	struct stat st;
	cleanup_fd int fd = open_file(context_fd, name);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 && errno == ELOOP)
		return invalid(err, name,
			       "is or goes through a symbolic link, which is not followed");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, ERR_INVALID, "ignore_invalid", errno, "%.200s", name);
	if (!S_ISREG(st.st_mode))
		return invalid(err, name, "is no file");
	if (st.st_size > HUGE_BYTES)
		return invalid(err, name, "is too large to be an ignore file");
	return read_all(text, fd, name, limit_bytes, err) < 0 ? -1 : 1;
}

int ignore_load(struct ignore **out, char **name, int context_fd, const char *dockerfile,
		const struct ignore_limits *limits, struct err *err)
{
	cleanup_free char *beside = xasprintf("%s.dockerignore", dockerfile);
	const char *const names[] = { beside, ".dockerignore" };

	*out = NULL;
	*name = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_buf struct buf text = BUF_INIT;
		int found = read_one(&text, context_fd, names[i], limits->bytes, err);
		if (found < 0 ||
		    (found && ignore_read(out, buf_str(&text), names[i], limits, err) < 0))
			return -1;
		if (found) {
			*name = xstrdup(names[i]);
			return 0;
		}
	}
	return 0;
}

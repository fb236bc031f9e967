#include "context/ignore_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/scope.h"

/* 1: read into *text; 0: there is none; -1: there is something else under that name. */
static int read_one(struct buf *text, int context_fd, const char *name, struct err *err)
{
	struct stat st;
	cleanup_fd int fd =
		openat(context_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "ignore_invalid", errno, "%.200s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "ignore_invalid", "%.200s is no file", name);
	for (;;) {
		if (buf_reserve(text, 4096) < 0)
			return err_set(err, ERR_INVALID, "ignore_too_large",
				       "%.200s has more than %zu bytes", name, text->limit - 4096);
		ssize_t n = read(fd, text->ptr + text->len, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_INVALID, "ignore_invalid", errno, "%.200s",
					     name);
		if (n == 0)
			return 1;
		buf_grown(text, (size_t)n);
	}
}

int ignore_load(struct ignore **out, char **name, int context_fd, const char *dockerfile,
		const struct ignore_limits *limits, struct err *err)
{
	cleanup_free char *beside = xasprintf("%s.dockerignore", dockerfile);
	const char *const names[] = { beside, ".dockerignore" };

	*out = NULL;
	*name = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_buf struct buf text = BUF_LIMIT(limits->bytes + 4096);
		int found = read_one(&text, context_fd, names[i], err);
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

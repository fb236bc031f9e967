#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/scope.h"

enum { SECRET_MAX_BYTES = 64 * 1024 };

void secret_set(struct secret *s, struct str value)
{
	struct secret fresh = { str_dup(value), value.len };
	secret_release(s);
	*s = fresh;
}

void secret_copy(struct secret *to, const struct secret *from)
{
	if (!secret_is_set(from))
		secret_release(to);
	else
		secret_set(to, (struct str){ from->bytes, from->len });
}

void secret_release(struct secret *s)
{
	if (s->bytes)
		explicit_bzero(s->bytes, s->len);
	free(s->bytes);
	*s = (struct secret){ 0 };
}

bool secret_is_set(const struct secret *s)
{
	return s->bytes != NULL;
}

const char *secret_reveal(const struct secret *s)
{
	return s->bytes ? s->bytes : "";
}

/* A value that came from `where`, which is for the message. */
static int take(struct secret *out, struct str value, const char *where, struct err *err)
{
	if (value.len == 0)
		return err_set(err, ERR_INVALID, "config_invalid", "the secret %.200s is empty",
			       where);
	if (memchr(value.ptr, '\0', value.len))
		return err_set(err, ERR_INVALID, "config_secret",
			       "the secret %.200s has a NUL byte in it", where);
	secret_set(out, value);
	return 0;
}

static int open_private(int *out_fd, const char *path, struct err *err)
{
	struct stat st;
	/* Not blocking: a FIFO must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "config_secret", errno,
				     "cannot open the secret file %.200s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		err_set(err, ERR_INVALID, "config_secret", "the secret file %.200s is not a file",
			path);
	else if (!fs_is_private(path, &st))
		err_set(err, ERR_DENIED, "config_perm",
			"the secret file %.200s can be read by others (mode %04o): make it 0600",
			path, (unsigned)st.st_mode & 07777u);
	else if (st.st_size > SECRET_MAX_BYTES)
		err_set(err, ERR_LIMIT, "config_secret",
			"the secret file %.200s is larger than 64 KiB", path);
	else {
		*out_fd = fd;
		return 0;
	}
	close(fd);
	return -1;
}

static int load_file(struct secret *out, const char *path, struct err *err)
{
	cleanup_fd int fd = -1;
	if (open_private(&fd, path, err) < 0)
		return -1;

	char *text = xmalloc(SECRET_MAX_BYTES);
	ssize_t n = read(fd, text, SECRET_MAX_BYTES);
	int rc = -1;
	if (n < 0) {
		err_set_errno(err, ERR_INVALID, "config_secret", errno,
			      "cannot read the secret file %.200s", path);
	} else {
		struct str value = { text, (size_t)n };
		value.len -= str_ends(value, "\r\n") ? 2 : str_ends(value, "\n");
		cleanup_free char *where = xasprintf("in %s", path);
		rc = take(out, value, where, err);
		explicit_bzero(text, (size_t)n);
	}
	free(text);
	return rc;
}

static int load_variable(struct secret *out, const char *name, struct err *err)
{
	const char *value = getenv(name);
	cleanup_free char *where = xasprintf("in the environment variable %s", name);

	if (!value)
		return err_set(err, ERR_INVALID, "config_secret",
			       "the environment variable %.200s is not set", name);
	return take(out, str_from(value), where, err);
}

int secret_load(struct secret *out, const char *text, bool literal_allowed, struct err *err)
{
	struct str value = str_from(text);

	if (str_starts(value, "file:"))
		return load_file(out, text + strlen("file:"), err);
	if (str_starts(value, "env:"))
		return load_variable(out, text + strlen("env:"), err);
	if (value.len && !literal_allowed)
		return err_set(err, ERR_DENIED, "config_perm",
			       "a secret may only stand in a file that others cannot read: write "
			       "file:PATH or env:NAME, or make the file 0600");
	return take(out, value, "itself", err);
}

#include "cli/payload_file.h"

#include <errno.h>
#include <fcntl.h>

#include "common/json.h"
#include "common/scope.h"

enum { FILE_MAX_BYTES = 26 << 20 }; /* a body of any webhook, and its head */

static int read_all(struct buf *out, int fd, const char *path, struct err *err)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_INVALID, "payload_file", errno,
					     "'%.200s' cannot be read", path);
		if (out->len + (size_t)n > FILE_MAX_BYTES)
			return err_set(err, ERR_INVALID, "payload_too_large",
				       "'%.200s' is larger than any delivery", path);
		buf_add(out, piece, (size_t)n);
	}
	return 0;
}

static int read_file(struct buf *out, const char *path, struct err *err)
{
	if (strcmp(path, "-") == 0)
		return read_all(out, STDIN_FILENO, path, err);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_INVALID, "payload_file", errno,
				     "'%.200s' cannot be read", path);
	return read_all(out, fd, path, err);
}

/* ---- the head ---- */

static int add_header(struct payload_file *f, struct str name, struct str value, struct err *err)
{
	const char *key;
	json_t *there;

	json_object_foreach (f->headers, key, there) {
		if (str_is_i(name, key))
			return err_set(err, ERR_INVALID, "payload_file",
				       "the header %.60s stands twice in the saved request", key);
	}
	json_object_setn_new(f->headers, name.ptr, name.len, json_stringn(value.ptr, value.len));
	return 0;
}

/* Both sides of the colon; false: this is no header. */
static bool split_header(struct str line, struct str *name, struct str *value)
{
	size_t colon = str_find(line, ':', 0);

	*name = str_trim(str_slice(line, 0, colon));
	*value = str_trim(str_after(line, colon + 1));
	return colon < line.len && name->len > 0 && str_find(*name, ' ', 0) == name->len &&
	       !str_has_control(*name) && !str_has_control(*value);
}

/* "POST /webhooks/github HTTP/1.1": the name of the webhook. False: this is another line. */
static bool read_request_line(struct payload_file *f, struct str line)
{
	static const char place[] = "/webhooks/";
	struct str rest = line, method, path;

	if (!str_split(&rest, ' ', &method) || !str_split(&rest, ' ', &path) ||
	    !str_starts(rest, "HTTP/"))
		return false;
	for (size_t i = 0; i + strlen(place) < path.len; i++) {
		struct str tail = str_after(path, i);
		if (!str_starts(tail, place))
			continue;
		tail = str_after(tail, strlen(place));
		free(f->webhook);
		f->webhook = str_dup(str_slice(tail, 0, strcspn(tail.ptr, "/? ")));
	}
	return true;
}

static int read_head(struct payload_file *f, struct str *rest, struct err *err)
{
	struct str line, name, value;

	for (size_t n = 1; str_split(rest, '\n', &line); n++) {
		line = str_trim(line);
		if (line.len == 0 && n > 1 && rest->ptr)
			return 0;
		if (n == 1 && read_request_line(f, line))
			continue;
		if (!split_header(line, &name, &value))
			return err_set(
				err, ERR_INVALID, "payload_file",
				"line %zu of the saved request is no header; want headers, an "
				"empty line and the body, or the body alone",
				n);
		if (add_header(f, name, value, err) < 0)
			return -1;
	}
	return err_set(err, ERR_INVALID, "payload_file",
		       "the saved request has no empty line between headers and body");
}

/* The type that a body without a head has; NULL: it is a whole request. */
static const char *type_of_body(struct str text)
{
	struct str start = str_trim(text);

	if (str_starts(start, "{") || str_starts(start, "["))
		return "application/json";
	return str_starts(start, "payload=") ? "application/x-www-form-urlencoded" : NULL;
}

int payload_file_read(struct payload_file *out, const char *path, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct payload_file f = { .headers = json_object() };

	if (read_file(&text, path, err) < 0)
		goto failed;
	struct str rest = buf_str(&text);
	const char *type = type_of_body(rest);
	if (type)
		json_put_string(f.headers, "Content-Type", type);
	else if (read_head(&f, &rest, err) < 0)
		goto failed;
	if (!str_is_utf8(rest) || str_find(rest, '\0', 0) < rest.len) {
		err_set(err, ERR_INVALID, "payload_file", "the body in '%.200s' is no UTF-8 text",
			path);
		goto failed;
	}
	f.body = str_dup(rest);
	*out = f;
	return 0;
failed:
	payload_file_release(&f);
	return -1;
}

int payload_file_header(struct payload_file *f, const char *line, struct err *err)
{
	struct str name, value;
	const char *key;
	json_t *there;
	void *next;

	if (!split_header(str_from(line), &name, &value))
		return err_set(err, ERR_INVALID, "usage",
			       "--header wants 'Name: value', not '%.60s'", line);
	json_object_foreach_safe(f->headers, next, key, there)
	{
		if (str_is_i(name, key))
			json_object_del(f->headers, key);
	}
	return add_header(f, name, value, err);
}

void payload_file_release(struct payload_file *f)
{
	json_decref(f->headers);
	free(f->webhook);
	free(f->body);
	*f = (struct payload_file){ 0 };
}

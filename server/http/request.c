/* request: what a handler asks about the request it was given. */
#include "server/http/conn.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) - 'a' + 10; /* the guard has seen that it is a hex digit */
}

/* Append one component, decoded once, and a NUL: the guard has refused %00 and broken escapes. */
static void add_decoded(struct buf *out, struct str raw, bool plus)
{
	char *to = out->ptr + out->len;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];
		if (c == '%') {
			c = (char)(hex_value(raw.ptr[i + 1]) << 4 | hex_value(raw.ptr[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		*to++ = c;
	}
	*to++ = '\0';
	out->len = (size_t)(to - out->ptr);
}

static struct str target_of(const struct http_req *r)
{
	return span_of(r->head.target, buf_str(&r->text));
}

static void decode_path(struct http_req *r, struct str path)
{
	struct str rest = str_after(path, 1), segment;

	r->path_at = (uint32_t)r->text.len;
	r->path_count = 0;
	while (str_split(&rest, '/', &segment)) {
		add_decoded(&r->text, segment, false);
		r->path_count++;
	}
}

static void decode_query(struct http_req *r, struct str query)
{
	struct str pair;

	r->query_at = (uint32_t)r->text.len;
	while (query.len > 0 && str_split(&query, '&', &pair)) {
		size_t equals = str_find(pair, '=', 0);
		add_decoded(&r->text, str_slice(pair, 0, equals), true);
		add_decoded(&r->text, str_after(pair, equals + 1), true);
	}
	r->query_end = (uint32_t)r->text.len;
}

void request_decode(struct http_req *r)
{
	size_t len = r->head.target.len;

	/* At most a NUL for every byte and two more: then nothing moves while it is filled. */
	buf_reserve(&r->text, 2 * len + 4);
	struct str target = target_of(r);
	size_t mark = str_find(target, '?', 0);
	decode_path(r, str_slice(target, 0, mark));
	decode_query(r, str_after(target, mark + 1));
}

struct str http_method(const struct http_req *req)
{
	return span_of(req->head.method, buf_str(&req->text));
}

size_t http_path_len(const struct http_req *req)
{
	return req->path_count;
}

struct str http_path_segment(const struct http_req *req, size_t i)
{
	const char *p = req->text.ptr + req->path_at;

	if (i >= req->path_count)
		return STR("");
	for (; i > 0; i--)
		p += strlen(p) + 1;
	return str_from(p);
}

struct str http_path_raw(const struct http_req *req)
{
	struct str target = target_of(req);
	return str_slice(target, 0, str_find(target, '?', 0));
}

bool http_query(const struct http_req *req, const char *name, struct str *out)
{
	const char *p = req->text.ptr + req->query_at, *end = req->text.ptr + req->query_end;

	while (p < end) {
		const char *value = p + strlen(p) + 1;
		if (str_is_i(str_from(p), name)) {
			*out = str_from(value);
			return true;
		}
		p = value + strlen(value) + 1;
	}
	return false;
}

bool http_header(const struct http_req *req, const char *name, struct str *out)
{
	return head_first(&req->head, buf_str(&req->text), name, out);
}

size_t http_header_count(const struct http_req *req, const char *name)
{
	size_t count = 0, from = 0;
	struct str value;

	while (head_next(&req->head, buf_str(&req->text), name, &from, &value))
		count++;
	return count;
}

const struct http_peer *http_peer(const struct http_req *req)
{
	return &req->conn->peer;
}

bool http_is_tls(const struct http_req *req)
{
	return req->conn->is_tls;
}

char *http_origin(const struct http_req *req)
{
	struct str host = STR("");

	http_header(req, "Host", &host);
	return xasprintf("%s://" STR_FMT, http_is_tls(req) ? "https" : "http", STR_ARG(host));
}

void http_set_data(struct http_req *req, void *data, void (*release)(void *data))
{
	req->data = data;
	req->release = release;
}

void *http_data(const struct http_req *req)
{
	return req->data;
}

void http_on_abort(struct http_req *req, void (*on_abort)(struct http_req *req, void *app))
{
	req->on_abort = on_abort;
}

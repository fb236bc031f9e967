/* respond: whole answers, and the head that every answer begins with. */
#include <stdarg.h>

#include "server/http/conn.h"

static const char JSON_TYPE[] = "application/json; charset=utf-8";

/* ---- the head ---- */

/*
 * Another request may follow when the client wants it, nobody asked to close, and the body is read
 * or so short that it is cheaper to drop it than to connect again. A client that waits for "100
 * Continue" may or may not send its body now, so that nothing behind it can be understood.
 */
static bool keeps_alive(const struct http_req *r)
{
	const struct conn *c = r->conn;
	bool short_rest = !r->head.chunked && !r->continue_wanted && r->body_left <= REST_MAX_BYTES;

	return r->head.keep_alive && !r->close && !c->server->draining &&
	       c->requests < c->server->limits.requests_per_conn && (r->body_done || short_rest) &&
	       !(c->eof && c->in.len == 0 && c->kept.len == 0);
}

static void add_number(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t i = sizeof digits;

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	buf_add(b, digits + i, sizeof digits - i);
}

static bool has_no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static void add_framing(struct http_req *r, int status, bool has_length, uint64_t length)
{
	struct buf *h = &r->conn->server->scratch;
	bool body = !has_no_body(status), http10 = r->head.http10;

	/* A client of 1.0 knows no chunks: the end of the connection is the end of the body. */
	if (body && !has_length && http10)
		r->close = true;
	r->keep = keeps_alive(r);
	if (!r->keep)
		buf_adds(h, "Connection: close\r\n");
	else if (http10)
		buf_adds(h, "Connection: keep-alive\r\n");
	if (body && has_length) {
		buf_adds(h, "Content-Length: ");
		add_number(h, length);
		buf_adds(h, "\r\n");
	} else if (body && !http10) {
		buf_adds(h, "Transfer-Encoding: chunked\r\n");
	}
}

void respond_head(struct http_req *r, int status, const char *content_type, bool has_length,
		  uint64_t length)
{
	struct http_server *s = r->conn->server;
	struct buf *h = &s->scratch;

	r->empty_answer = has_no_body(status) || str_is(http_method(r), "HEAD");
	buf_clear(h);
	buf_adds(h, "HTTP/1.1 ");
	add_number(h, (uint64_t)status);
	buf_addc(h, ' ');
	buf_adds(h, http_reason(status));
	buf_adds(h, "\r\n");
	buf_addstr(h, server_date(s));
	if (content_type) {
		buf_adds(h, "Content-Type: ");
		buf_adds(h, content_type);
		buf_adds(h, "\r\n");
	}
	buf_adds(h, "X-Content-Type-Options: nosniff\r\n");
	if (!r->cache_control)
		buf_adds(h, "Cache-Control: no-store\r\n");
	buf_addstr(h, buf_str(&r->reply));
	add_framing(r, status, has_length, length);
	buf_adds(h, "\r\n");
}

void http_reply_header(struct http_req *req, const char *name, const char *value)
{
	struct buf *reply = &req->reply;
	size_t start = reply->len;

	buf_adds(reply, name);
	buf_adds(reply, ": ");
	buf_adds(reply, value);
	/* A value may quote the request: nothing in it may begin another line. */
	for (size_t i = start; i < reply->len; i++) {
		unsigned char c = (unsigned char)reply->ptr[i];
		if (c < 0x20 || c == 0x7f)
			reply->ptr[i] = '?';
	}
	buf_adds(reply, "\r\n");
	req->cache_control |= str_is_i(str_from(name), "Cache-Control");
}

/* ---- whole answers ---- */

static void send_answer(struct http_req *r, int status, const char *content_type, struct str body)
{
	struct conn *c = r->conn;

	respond_head(r, status, content_type, true, body.len);
	struct str parts[] = { buf_str(&c->server->scratch), body };
	conn_write(c, parts, r->empty_answer || body.len == 0 ? 1 : 2);
	r->answer = ANSWER_DONE;
	if (!c->advancing)
		conn_schedule(c);
}

static bool is_answerable(const struct http_req *r)
{
	return r->conn->state == CONN_REQUEST && !r->over && r->answer == ANSWER_NONE;
}

void http_respond(struct http_req *req, int status, const char *content_type, struct str body)
{
	if (is_answerable(req))
		send_answer(req, status, content_type, body);
}

void http_respond_json(struct http_req *req, int status, const char *json_text)
{
	http_respond(req, status, JSON_TYPE, str_from(json_text));
}

/* ---- errors ---- */

/*
 * The text of a JSON string. What is not UTF-8 becomes U+FFFD, and everything that could move a
 * terminal's cursor (C0, DEL, C1) is escaped.
 */
static void add_json_text(struct buf *out, struct str s)
{
	while (s.len > 0) {
		unsigned char c = (unsigned char)s.ptr[0];
		size_t n = 1;
		while (c >= 0x80 && n <= 4 && n <= s.len && !str_is_utf8(str_slice(s, 0, n)))
			n++;
		bool broken = n > 4 || n > s.len;
		bool c1 = c == 0xc2 && !broken && (unsigned char)s.ptr[1] < 0xa0;
		if (broken)
			n = 1;

		if (broken)
			buf_adds(out, "\\ufffd");
		else if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || c1)
			buf_addf(out, "\\u%04x", c1 ? (unsigned char)s.ptr[1] : c);
		else
			buf_add(out, s.ptr, n);
		s = str_after(s, n);
	}
}

static void add_member(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, "\"%s\":\"", name);
	add_json_text(out, value);
	buf_adds(out, "\",");
}

static void send_error(struct http_req *r, int status, const char *code, const char *target,
		       struct str message)
{
	enum { ECHO_BYTES = 200 };
	struct buf body = BUF_INIT;

	buf_adds(&body, "{\"error\":{");
	add_member(&body, "code", str_from(code));
	add_member(&body, "message", message);
	if (target)
		add_member(&body, "target", str_slice(str_from(target), 0, ECHO_BYTES));
	buf_adds(&body, "\"details\":[]}}");
	send_answer(r, status, JSON_TYPE, buf_str(&body));
	buf_release(&body);
}

void http_respond_error(struct http_req *req, int status, const char *code, const char *target,
			const char *fmt, ...)
{
	/* Whatever is quoted, a message is not longer than its own words and this. */
	enum { QUOTED_BYTES = 190 };
	struct buf message = BUF_INIT;
	va_list args;

	if (!is_answerable(req))
		return;
	va_start(args, fmt);
	buf_vaddf(&message, fmt, args);
	va_end(args);
	send_error(req, status, code, target,
		   str_slice(buf_str(&message), 0, strlen(fmt) + QUOTED_BYTES));
	buf_release(&message);
}

void http_respond_err(struct http_req *req, const struct err *err)
{
	static const int statuses[] = {
		[ERR_NONE] = 500,     [ERR_INVALID] = 400,  [ERR_NOTFOUND] = 404,
		[ERR_CONFLICT] = 409, [ERR_DENIED] = 403,   [ERR_LIMIT] = 413,
		[ERR_TIMEOUT] = 408,  [ERR_CANCELED] = 409, [ERR_UNAVAILABLE] = 503,
		[ERR_INTERNAL] = 500,
	};

	if (!is_answerable(req))
		return;
	if (err->code == ERR_UNAVAILABLE)
		http_reply_header(req, "Retry-After", "5");
	send_error(req, statuses[err->code], err->word[0] ? err->word : err_code_name(err->code),
		   NULL, str_from(err->msg));
}

void respond_refusal(struct http_req *r, const struct refusal *why)
{
	if (why->status == 405)
		http_reply_header(r, "Allow", GUARD_METHODS);
	send_error(r, why->status, why->word, NULL, str_from(why->message));
}

#include "tests/unit/server/http/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/un.h>
/* After those. */
#include <cmocka.h>

#include "common/clock.h"

enum { PATIENCE_MS = 10000 };

/* ---- handlers ---- */

static void release(void *data)
{
	((struct fixture *)data)->released++;
}

static void on_abort(struct http_req *req, void *app)
{
	struct fixture *f = app;
	f->aborted++;
	if (f->pending == req)
		f->pending = NULL;
}

static void healthz(struct http_req *req, struct fixture *f)
{
	struct str id;
	(void)f;
	if (http_query(req, "id", &id))
		http_respond(req, 200, "text/plain", id);
	else
		http_respond(req, 200, "text/plain", STR("ok"));
}

static void echo(struct http_req *req, struct str body, void *app)
{
	(void)app;
	http_respond(req, 200, "text/plain", body);
}

static void hook(struct http_req *req, struct fixture *f)
{
	http_set_data(req, f, release);
	http_on_abort(req, on_abort);
	http_body_collect(req, 1 << 20, echo);
}

static void small(struct http_req *req, struct fixture *f)
{
	http_set_data(req, f, release);
	http_on_abort(req, on_abort);
	http_body_collect(req, 10, echo);
}

static void upload_piece(struct http_req *req, struct str bytes, void *app)
{
	struct fixture *f = app;
	buf_addstr(&f->uploaded, bytes);
	if (f->pieces++ == 0 && f->pause_first) {
		http_body_pause(req);
		f->pending = req;
	}
}

static void upload_end(struct http_req *req, bool complete, void *app)
{
	struct fixture *f = app;
	char text[32];
	f->ended++;
	f->ended_incomplete += !complete;
	int n = snprintf(text, sizeof text, "%zu", f->uploaded.len);
	http_respond(req, 200, "text/plain", (struct str){ text, (size_t)n });
}

static void upload(struct http_req *req, struct fixture *f)
{
	http_set_data(req, f, release);
	http_on_abort(req, on_abort);
	http_body_stream(req, 64 << 20, upload_piece, upload_end);
}

static void later(struct http_req *req, struct fixture *f)
{
	http_set_data(req, f, release);
	http_on_abort(req, on_abort);
	f->pending = req;
}

static void follow(struct http_req *req, struct fixture *f)
{
	later(req, f);
	http_stream_begin(req, 200, "text/plain", NULL);
}

static void produce_more(struct http_req *req, void *app)
{
	static const char block[32768];
	struct fixture *f = app;
	bool room = true;

	while (room && f->produced < f->to_produce) {
		f->produced += sizeof block;
		room = http_stream_write(req, (struct str){ block, sizeof block });
	}
	if (f->produced >= f->to_produce)
		http_stream_end(req);
}

static void produce(struct http_req *req, struct fixture *f)
{
	http_set_data(req, f, release);
	http_on_abort(req, on_abort);
	http_stream_begin_length(req, 200, "application/octet-stream", f->to_produce, produce_more);
	produce_more(req, f);
}

/* Says how it was understood: the segments, one a line. */
static void segments(struct http_req *req, struct fixture *f)
{
	struct buf text = BUF_INIT;
	(void)f;
	for (size_t i = 0; i < http_path_len(req); i++) {
		buf_addstr(&text, http_path_segment(req, i));
		buf_addc(&text, '\n');
	}
	http_respond(req, 200, "text/plain", buf_str(&text));
	buf_release(&text);
}

static void whoami(struct http_req *req, struct fixture *f)
{
	const struct http_peer *peer = http_peer(req);
	struct buf text = BUF_INIT;
	char *origin = http_origin(req);
	(void)f;
	buf_addf(&text, "unix=%d uid=%d pid=%d tls=%d %s hosts=%zu", peer->is_unix, (int)peer->uid,
		 (int)peer->pid, http_is_tls(req), origin, http_header_count(req, "host"));
	http_respond(req, 200, "text/plain", buf_str(&text));
	free(origin);
	buf_release(&text);
}

static void failing(struct http_req *req, struct fixture *f)
{
	struct str text = STR("");
	(void)f;
	http_query(req, "say", &text);
	http_respond_error(req, 400, "bad_query", "say", "No: '" STR_FMT "'.", STR_ARG(text));
}

static void busy(struct http_req *req, struct fixture *f)
{
	struct err err;
	(void)f;
	err_set(&err, ERR_UNAVAILABLE, "storage", "The disk is full.");
	http_reply_header(req, "X-Test", "a\r\nX-Evil: b");
	http_respond_err(req, &err);
}

static void unread(struct http_req *req, struct fixture *f)
{
	(void)f;
	http_respond(req, 200, "text/plain", STR("not read"));
}

static const struct {
	const char *first; /* segment */
	void (*handle)(struct http_req *req, struct fixture *f);
} routes[] = {
	{ "healthz", healthz }, { "hooks", hook },    { "small", small },
	{ "upload", upload },   { "later", later },   { "follow", follow },
	{ "produce", produce }, { "path", segments }, { "whoami", whoami },
	{ "failing", failing }, { "busy", busy },     { "unread", unread },
};

void fixture_route(struct http_req *req, void *app)
{
	struct fixture *f = app;

	f->routed++;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (str_is(http_path_segment(req, 0), routes[i].first)) {
			routes[i].handle(req, f);
			return;
		}
	}
	http_respond_error(req, 404, "not_found", NULL, "There is nothing here.");
}

/* ---- the server ---- */

void fixture_open(struct fixture *f, const struct http_limits *limits)
{
	struct err err;
	char template[] = "/tmp/slipway-http-XXXXXX";

	*f = (struct fixture){ 0 };
	f->dir = xstrdup(mkdtemp(template));
	uv_loop_init(&f->loop);
	assert_int_equal(http_server_create(&f->server, &f->loop, limits, fixture_route, f, &err),
			 0);
	assert_int_equal(http_listen_tcp(f->server, "127.0.0.1:0", NULL, NULL, &err), 0);
}

static void on_closed(void *app)
{
	((struct fixture *)app)->closed = true;
}

static bool is_closed(struct fixture *f)
{
	return f->closed;
}

void fixture_close(struct fixture *f)
{
	http_server_close(f->server, on_closed);
	fixture_until(f, is_closed);
	assert_int_equal(uv_run(&f->loop, UV_RUN_NOWAIT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	buf_release(&f->uploaded);
	rmdir(f->dir);
	free(f->dir);
}

void fixture_turn(struct fixture *f, int fd, short events)
{
	uv_run(&f->loop, UV_RUN_NOWAIT);
	f->turns++;
	/* Short, because what a callback began to watch is only known to the kernel in the next
	 * turn. */
	int timeout = uv_backend_timeout(&f->loop);
	struct pollfd fds[] = { { uv_backend_fd(&f->loop), POLLIN, 0 }, { fd, events, 0 } };
	poll(fds, 2, timeout < 0 || timeout > 2 ? 2 : timeout);
}

void fixture_until(struct fixture *f, bool (*done)(struct fixture *f))
{
	int64_t give_up = clock_monotonic_ms() + PATIENCE_MS;
	while (!done(f)) {
		if (clock_monotonic_ms() > give_up)
			fail_msg("nothing happened for %d ms", PATIENCE_MS);
		fixture_turn(f, -1, 0);
	}
}

void fixture_for_ms(struct fixture *f, int64_t ms)
{
	int64_t end = clock_monotonic_ms() + ms;
	while (clock_monotonic_ms() < end)
		fixture_turn(f, -1, 0);
}

/* ---- clients ---- */

int client_open(struct fixture *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	const char *address = http_server_address(f->server);
	uint64_t port = 0;

	str_to_u64(str_from(strrchr(address, ':') + 1), 65535, &port);
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		fail_msg("connect: %s", strerror(errno));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

int client_open_unix(struct fixture *f, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	(void)f;
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		fail_msg("connect: %s", strerror(errno));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

bool client_send(struct fixture *f, int fd, struct str bytes)
{
	int64_t give_up = clock_monotonic_ms() + PATIENCE_MS;

	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (clock_monotonic_ms() > give_up)
			fail_msg("the server does not read");
		bytes = str_after(bytes, n > 0 ? (size_t)n : 0);
		fixture_turn(f, fd, POLLOUT);
	}
	return true;
}

bool client_say(struct fixture *f, int fd, const char *text)
{
	return client_send(f, fd, str_from(text));
}

/* Some more bytes: 1, or 0 at the end, or -1 for a reset. */
static int read_some(struct fixture *f, int fd, struct buf *into)
{
	int64_t give_up = clock_monotonic_ms() + PATIENCE_MS;

	for (;;) {
		buf_reserve(into, 65536);
		ssize_t n = recv(fd, into->ptr + into->len, 65536, 0);
		if (n > 0)
			buf_grown(into, (size_t)n);
		if (n >= 0 || errno != EAGAIN)
			return n > 0 ? 1 : (int)n;
		if (clock_monotonic_ms() > give_up)
			fail_msg("no answer; so far: '" STR_FMT "'", STR_ARG(buf_str(into)));
		fixture_turn(f, fd, POLLIN);
	}
}

bool client_read_to_end(struct fixture *f, int fd, struct buf *out)
{
	int rc;
	while ((rc = read_some(f, fd, out)) > 0)
		;
	return rc == 0;
}

/* Make sure of `n` bytes in *rest. */
static bool need(struct fixture *f, int fd, struct buf *rest, size_t n)
{
	while (rest->len < n) {
		if (read_some(f, fd, rest) <= 0)
			return false;
	}
	return true;
}

/* The offset behind `end`, reading as far as needed; 0 when it never comes. */
static size_t find_end(struct fixture *f, int fd, struct buf *rest, const char *end)
{
	for (;;) {
		char *at = rest->len ? memmem(rest->ptr, rest->len, end, strlen(end)) : NULL;
		if (at)
			return (size_t)(at - rest->ptr) + strlen(end);
		if (read_some(f, fd, rest) <= 0)
			return 0;
	}
}

static bool take(struct fixture *f, int fd, struct buf *rest, size_t n, struct buf *into)
{
	if (!need(f, fd, rest, n))
		return false;
	if (into)
		buf_add(into, rest->ptr, n);
	buf_drop_front(rest, n);
	return true;
}

static bool take_chunks(struct fixture *f, int fd, struct buf *rest, struct buf *into)
{
	size_t line, size;

	do {
		line = find_end(f, fd, rest, "\r\n");
		if (line == 0)
			return false;
		size = strtoul(rest->ptr, NULL, 16);
		buf_drop_front(rest, line);
		if (!take(f, fd, rest, size, into) || !take(f, fd, rest, 2, NULL))
			return false;
	} while (size > 0);
	return true;
}

static bool answer_value(const struct answer *a, const char *name, struct str *out)
{
	struct str rest = buf_str(&a->head), line;

	while (str_split(&rest, '\n', &line)) {
		size_t colon = str_find(line, ':', 0);
		if (!str_is_i(str_slice(line, 0, colon), name))
			continue;
		*out = str_trim(str_after(line, colon + 1));
		return true;
	}
	return false;
}

void client_answer(struct fixture *f, int fd, struct buf *rest, bool head, struct answer *out)
{
	struct str value;
	uint64_t length;

	*out = (struct answer){ 0 };
	size_t end = find_end(f, fd, rest, "\r\n\r\n");
	if (end == 0)
		return;
	take(f, fd, rest, end, &out->head);
	out->status = atoi(out->head.ptr + strlen("HTTP/1.1 "));
	if (head || out->status < 200 || out->status == 204)
		out->complete = true;
	else if (answer_value(out, "Transfer-Encoding", &value))
		out->complete = take_chunks(f, fd, rest, &out->body);
	else if (answer_value(out, "Content-Length", &value) &&
		 str_to_u64(value, UINT64_MAX, &length))
		out->complete = take(f, fd, rest, length, &out->body);
	else
		client_read_to_end(f, fd, &out->body);
}

void answer_release(struct answer *a)
{
	buf_release(&a->head);
	buf_release(&a->body);
}

bool answer_has(const struct answer *a, const char *header_line)
{
	struct str rest = buf_str(&a->head), line;

	while (str_split(&rest, '\n', &line)) {
		if (str_is(str_trim(line), header_line))
			return true;
	}
	return false;
}

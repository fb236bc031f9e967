#include "server/http/conn.h"

#include <assert.h>

/* clang-format off */
static const struct refusal
	HEAD_ENDED = {400, "bad_request", "The connection ended in the middle of the request's head."},
	BODY_ENDED = {400, "bad_framing", "The connection ended before the body was complete."},
	NOT_PARSED = {400, "bad_request", "The request's head cannot be parsed."};
/* clang-format on */

static struct conn *conn_of(struct wire *w)
{
	return (struct conn *)((char *)w - offsetof(struct conn, wire));
}

/* ---- the end of a request ---- */

/* Tell the handler that its request ends without its answer. */
static void abandon(struct http_req *r)
{
	void *app = r->conn->server->app;

	r->over = true;
	if (r->body_mode == BODY_STREAM && !r->body_done && r->answer == ANSWER_NONE)
		r->on_body.end(r, false, app);
	if (r->on_abort)
		r->on_abort(r, app);
}

/* What it held is let go; memory of a usual size is kept for the next request. */
static void clear_request(struct conn *c)
{
	enum { TEXT_KEPT_BYTES = 2048 };
	struct http_req *r = &c->req;
	struct buf text = r->text;
	struct head head = r->head;

	if (r->release)
		r->release(r->data);
	buf_release(&r->body);
	buf_release(&r->reply);
	buf_clear(&text);
	head_clear(&head);
	if (text.cap > TEXT_KEPT_BYTES)
		buf_release(&text);
	*r = (struct http_req){ .conn = c, .text = text, .head = head };
}

static void end_request(struct conn *c)
{
	struct http_req *r = &c->req;

	c->keep = r->keep;
	c->rest = r->body_done ? 0 : r->body_left;
	c->state = c->keep && c->rest ? CONN_REST : CONN_FLUSH;
	clear_request(c);
}

static void close_now(struct conn *c)
{
	c->state = CONN_CLOSED;
	c->in = (struct str){ 0 };
	deadline_clear(&c->server->deadlines, &c->deadline);
	wire_close(&c->wire);
}

void conn_abort(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	if (c->state == CONN_REQUEST && c->req.answer != ANSWER_DONE)
		abandon(&c->req);
	clear_request(c);
	close_now(c);
}

void conn_refuse(struct conn *c, const struct refusal *why)
{
	struct http_req *r = &c->req;

	if (r->answer == ANSWER_DONE)
		return;
	if (c->state == CONN_REQUEST)
		abandon(r);
	if (r->answer == ANSWER_STREAM) {
		conn_abort(c);
		return;
	}
	r->close = true;
	respond_refusal(r, why);
	end_request(c);
}

static void refuse_too_large(struct conn *c)
{
	char text[96];
	snprintf(text, sizeof text, "The body is larger than the %llu bytes that are taken here.",
		 (unsigned long long)c->req.body_limit);
	conn_refuse(c, &(struct refusal){ 413, "too_large", text });
}

/* ---- the steps: each does what can be done in its state; true when that was anything ---- */

static void begin_request(struct conn *c)
{
	struct http_req *r = &c->req;

	deadline_clear(&c->server->deadlines, &c->deadline);
	if (head_parse(&r->head, buf_str(&r->text)) < 0) {
		conn_refuse(c, &NOT_PARSED);
		return;
	}
	c->guard = (struct guard){ 0 };
	c->state = CONN_REQUEST;
	c->requests++;
	c->windows = 0;
	request_decode(r);
	body_begin(r);
	c->server->route(r, c->server->app);
}

/*
 * A head that came in one piece is judged where it lies; the pieces of another are put together
 * first. Only the head is taken from the input.
 */
static enum guard_verdict take_head(struct conn *c, const struct refusal **why)
{
	const struct guard_limits *limits = &c->server->guard_limits;
	struct buf *text = &c->req.text;
	size_t before = text->len;
	enum guard_verdict verdict;

	if (before > 0) /* a byte too many is enough to be refused */
		buf_addstr(text, str_slice(c->in, 0, limits->head_bytes + 1 - before));
	struct str all = before > 0 ? buf_str(text) : c->in;
	verdict = guard_feed(&c->guard, limits, all, why);
	size_t size = verdict == GUARD_DONE ? c->guard.size : all.len;
	if (before > 0)
		buf_truncate(text, size);
	else if (verdict != GUARD_REFUSED)
		buf_add(text, all.ptr, size);
	c->in = str_after(c->in, size - before);
	return verdict;
}

static bool without_input(struct conn *c)
{
	if (c->state == CONN_HEAD && c->eof) {
		conn_refuse(c, &HEAD_ENDED);
		return true;
	}
	if (c->state == CONN_HEAD || !(c->eof || c->server->draining))
		return false;
	c->keep = false;
	c->state = CONN_FLUSH;
	return true;
}

static bool step_head(struct conn *c)
{
	const struct refusal *why;

	if (c->in.len == 0)
		return without_input(c);
	c->state = CONN_HEAD;
	switch (take_head(c, &why)) {
	case GUARD_MORE: return false;
	case GUARD_REFUSED: conn_refuse(c, why); return true;
	case GUARD_DONE: begin_request(c); return true;
	}
	return false;
}

/* Has a stream room again, after it was told that there is enough? */
static bool offer_room(struct conn *c)
{
	struct http_req *r = &c->req;

	if (!r->wants_drained || wire_pending(&c->wire) > 0)
		return false;
	r->wants_drained = false;
	if (r->drained)
		r->drained(r, c->server->app);
	return true;
}

static bool step_request(struct conn *c)
{
	struct http_req *r = &c->req;
	const struct refusal *why = NULL;

	if (r->answer == ANSWER_DONE) {
		end_request(c);
		return true;
	}
	if (offer_room(c))
		return true;
	if (!conn_awaits_body(c))
		return false;

	uint64_t before = r->body_taken;
	bool progress = body_advance(r, &why);
	c->window_bytes += r->body_taken - before;
	if (c->state != CONN_REQUEST || r->answer == ANSWER_DONE)
		return true;
	if (r->too_large)
		refuse_too_large(c);
	else if (why)
		conn_refuse(c, why);
	else if (c->eof && c->in.len == 0 && conn_awaits_body(c))
		conn_refuse(c, &BODY_ENDED);
	else
		return progress;
	return true;
}

static bool step_rest(struct conn *c)
{
	size_t n = c->in.len < c->rest ? c->in.len : (size_t)c->rest;

	c->in = str_after(c->in, n);
	c->rest -= n;
	c->window_bytes += n;
	if (c->rest > 0 && !c->eof)
		return false;
	c->keep = c->keep && c->rest == 0;
	c->state = CONN_FLUSH;
	return true;
}

static bool step_flush(struct conn *c)
{
	if (c->keep && wire_pending(&c->wire) < ANSWERS_MAX_BYTES) {
		c->state = CONN_IDLE;
		return true;
	}
	if (!c->keep)
		wire_finish(&c->wire);
	else
		wire_flush(&c->wire);
	if (wire_pending(&c->wire) > (c->keep ? ANSWERS_MAX_BYTES - 1 : 0))
		return false;
	if (c->keep)
		return true;
	if (c->eof) {
		close_now(c);
		return true;
	}
	wire_shutdown(&c->wire);
	c->state = CONN_LINGER;
	return true;
}

/* Closing with unread input would be a reset, which can overtake the answer. */
static bool step_linger(struct conn *c)
{
	c->lingered += c->in.len;
	c->in = (struct str){ 0 };
	if (!c->eof && c->lingered <= LINGER_MAX_BYTES)
		return false;
	close_now(c);
	return true;
}

static bool step(struct conn *c)
{
	static bool (*const steps[])(struct conn * c) = {
		[CONN_IDLE] = step_head, [CONN_HEAD] = step_head,   [CONN_REQUEST] = step_request,
		[CONN_REST] = step_rest, [CONN_FLUSH] = step_flush, [CONN_LINGER] = step_linger,
	};
	return c->state != CONN_CLOSED && !c->wire.failed && steps[c->state](c);
}

/* Input that nobody wants yet stays here, and reading rests. */
static void keep_rest(struct conn *c)
{
	if (c->in.len == 0)
		buf_release(&c->kept);
	else if (c->kept.len > 0)
		buf_drop_front(&c->kept, c->kept.len - c->in.len);
	else
		buf_addstr(&c->kept, c->in);
	c->in = (struct str){ 0 };
}

void conn_advance(struct conn *c)
{
	if (c->advancing || c->state == CONN_CLOSED)
		return;
	c->advancing = true;
	c->burst = 0;
	if (c->in.len == 0)
		c->in = buf_str(&c->kept);
	while (step(c))
		;
	wire_flush(&c->wire);
	c->advancing = false;
	if (c->wire.failed)
		conn_abort(c);
	keep_rest(c);
	if (c->state == CONN_CLOSED)
		return;
	conn_arm_deadline(c);
	wire_read(&c->wire, c->kept.len == 0);
}

/* ---- what calls it ---- */

static void on_bytes(struct wire *w, struct str bytes)
{
	struct conn *c = conn_of(w);
	assert(c->kept.len == 0 && !c->advancing);
	c->in = bytes;
	conn_advance(c);
}

static void on_eof(struct wire *w)
{
	conn_of(w)->eof = true;
	conn_advance(conn_of(w));
}

static void on_progress(struct wire *w)
{
	conn_advance(conn_of(w));
}

static void on_wake(struct wire *w)
{
	conn_schedule(conn_of(w));
}

static void on_closed(struct wire *w)
{
	struct conn *c = conn_of(w);
	struct http_server *s = c->server;

	TAILQ_REMOVE(&s->conns, c, all);
	if (c->is_ready)
		TAILQ_REMOVE(&s->ready, c, ready);
	buf_release(&c->kept);
	buf_release(&c->req.text);
	head_release(&c->req.head);
	free(c);
	server_conn_closed(s);
}

void conn_schedule(struct conn *c)
{
	if (c->is_ready || c->state == CONN_CLOSED)
		return;
	c->is_ready = true;
	server_schedule(c->server, c);
}

void conn_continue(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	wire_continue(&c->wire);
	conn_advance(c);
}

void conn_drain(struct conn *c)
{
	conn_schedule(c);
}

void conn_write(struct conn *c, const struct str *parts, size_t count)
{
	/* More requests are waiting in the same packet: their answers leave together. */
	c->wire.corked = c->advancing && c->in.len > 0;
	wire_write(&c->wire, parts, count);
	c->wire.corked = false;
	if (!c->advancing)
		conn_arm_deadline(c);
}

void conn_start(struct http_server *s, int fd, const struct http_peer *peer,
		struct tls_context *tls)
{
	static const struct wire_events events = { on_bytes, on_eof, on_progress, on_wake,
						   on_closed };
	struct conn *c = xnew(struct conn);

	c->wire = (struct wire){ .events = &events, .buffers = &s->buffers };
	c->server = s;
	c->is_tls = tls != NULL;
	c->peer = *peer;
	c->req.conn = c;
	TAILQ_INSERT_TAIL(&s->conns, c, all);
	s->open++;
	if (wire_open(&c->wire, s->loop, fd, peer->is_unix, tls) < 0) {
		close(fd);
		close_now(c);
		return;
	}
	conn_advance(c);
}

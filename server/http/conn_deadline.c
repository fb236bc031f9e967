/*
 * conn_deadline: how long a connection may take for what it is doing. One deadline at a time, by
 * its state; bodies and answers are looked at several times on the way, because a large one may
 * take long as long as it moves.
 */
#include "server/http/conn.h"

/* clang-format off */
static const struct refusal
	HEAD_LATE = {408, "timeout", "The request's head did not arrive in time."},
	BODY_LATE = {408, "timeout", "The request's body arrives too slowly: at least 1 KiB a second is wanted."};
/* clang-format on */

bool conn_awaits_body(const struct conn *c)
{
	const struct http_req *r = &c->req;
	return c->state == CONN_REST ||
	       (c->state == CONN_REQUEST && r->body_mode != BODY_UNDECIDED && !r->body_done &&
		!r->paused && r->answer == ANSWER_NONE);
}

static enum deadline_kind wanted_deadline(const struct conn *c)
{
	if (c->state == CONN_LINGER)
		return DEADLINE_LINGER;
	if (c->state == CONN_HEAD)
		return DEADLINE_HEAD;
	if (conn_awaits_body(c))
		return DEADLINE_BODY;
	if (wire_pending(&c->wire) > 0)
		return DEADLINE_WRITE;
	if (c->state == CONN_IDLE)
		return DEADLINE_IDLE;
	if (c->eof && c->req.answer == ANSWER_STREAM && !c->req.counted_answer)
		return DEADLINE_HALF;
	return DEADLINE_NONE;
}

void conn_arm_deadline(struct conn *c)
{
	enum deadline_kind kind = wanted_deadline(c);

	if (kind == c->deadline.kind)
		return;
	deadline_set(&c->server->deadlines, &c->deadline, kind);
	c->window_bytes = 0;
	c->looks = 0;
	c->sent_mark = wire_sent(&c->wire);
}

/* Was anything of the answer taken since the last look? Four looks make a deadline. */
static bool is_stuck(struct conn *c)
{
	uint64_t sent = wire_sent(&c->wire);

	c->looks = sent == c->sent_mark ? c->looks + 1 : 0;
	c->sent_mark = sent;
	return c->looks >= 4;
}

/* Slow only counts when it lasts: three windows are the time a body has in any case. */
static bool is_slow(struct conn *c)
{
	enum { BYTES_PER_S = 1024 };
	uint64_t bytes = c->window_bytes;
	uint64_t wanted =
		(uint64_t)c->server->deadlines.after_ms[DEADLINE_BODY] * BYTES_PER_S / 1000;

	c->window_bytes = 0;
	return ++c->windows >= 3 && bytes < wanted;
}

static void on_body_window(struct conn *c)
{
	if (!is_slow(c))
		deadline_set(&c->server->deadlines, &c->deadline, DEADLINE_BODY);
	else if (c->state == CONN_REQUEST)
		conn_refuse(c, &BODY_LATE);
	else
		conn_abort(c);
}

void conn_on_deadline(struct deadline *d, enum deadline_kind kind)
{
	struct conn *c = (struct conn *)((char *)d - offsetof(struct conn, deadline));

	if (kind == DEADLINE_HEAD)
		conn_refuse(c, &HEAD_LATE);
	else if (kind == DEADLINE_BODY)
		on_body_window(c);
	else if (kind == DEADLINE_WRITE && !is_stuck(c))
		deadline_set(&c->server->deadlines, d, DEADLINE_WRITE);
	else
		conn_abort(c);
	conn_advance(c);
}

/* body: from the wire to the handler, collected or in pieces, counted before it is kept. */
#include "server/http/conn.h"

void body_begin(struct http_req *r)
{
	struct str expect;

	bool any = r->head.chunked || (r->head.has_length && r->head.length > 0);

	r->body_left = r->head.has_length ? r->head.length : 0;
	r->continue_wanted = any && !r->head.http10 &&
			     head_first(&r->head, buf_str(&r->text), "Expect", &expect);
}

/* The next piece, in whichever way the body is framed. */
static enum chunked_result next_piece(struct http_req *r, struct str *piece,
				      const struct refusal **why)
{
	struct str *in = &r->conn->in;

	if (r->head.chunked)
		return chunked_next(&r->chunked, in, piece, why);
	if (r->body_left == 0)
		return CHUNKED_END;
	if (in->len == 0)
		return CHUNKED_MORE;
	*piece = str_slice(*in, 0, r->body_left < in->len ? (size_t)r->body_left : in->len);
	*in = str_after(*in, piece->len);
	r->body_left -= piece->len;
	return CHUNKED_DATA;
}

static void take_piece(struct http_req *r, struct str piece)
{
	if (piece.len > r->body_limit - r->body_taken) {
		r->too_large = true;
		return;
	}
	r->body_taken += piece.len;
	if (r->body_mode == BODY_COLLECT)
		buf_addstr(&r->body, piece);
	else
		r->on_body.piece(r, piece, r->conn->server->app);
}

static void complete(struct http_req *r)
{
	void *app = r->conn->server->app;

	r->body_done = true;
	if (r->body_mode == BODY_COLLECT)
		r->on_body.collected(r, buf_str(&r->body), app);
	else
		r->on_body.end(r, true, app);
}

/* A client that waits to be asked is asked once, when somebody wants the body. */
static void ask_for_it(struct http_req *r)
{
	struct str text = STR("HTTP/1.1 100 Continue\r\n\r\n");

	if (r->continue_wanted && r->conn->in.len == 0)
		conn_write(r->conn, &text, 1);
	r->continue_wanted = false;
}

bool body_advance(struct http_req *r, const struct refusal **why)
{
	struct str piece;
	size_t before = r->conn->in.len;

	if (r->too_large)
		return false;
	ask_for_it(r);
	switch (next_piece(r, &piece, why)) {
	case CHUNKED_DATA: take_piece(r, piece); return true;
	case CHUNKED_END: complete(r); return true;
	default: return r->conn->in.len != before;
	}
}

static void want(struct http_req *r, enum body_mode mode, uint64_t limit)
{
	r->body_mode = mode;
	r->body_limit = limit;
	/* Refused before a byte is read. A chunked body is refused when it passes the limit. */
	r->too_large = !r->head.chunked && r->body_left > limit;
	if (!r->conn->advancing)
		conn_schedule(r->conn);
}

static bool can_want(const struct http_req *r)
{
	return r->conn->state == CONN_REQUEST && !r->over && r->answer == ANSWER_NONE &&
	       r->body_mode == BODY_UNDECIDED;
}

void http_body_collect(struct http_req *req, size_t limit,
		       void (*done)(struct http_req *req, struct str body, void *app))
{
	if (!can_want(req))
		return;
	req->on_body.collected = done;
	want(req, BODY_COLLECT, limit);
}

void http_body_stream(struct http_req *req, uint64_t limit,
		      void (*piece)(struct http_req *req, struct str bytes, void *app),
		      void (*end)(struct http_req *req, bool complete, void *app))
{
	if (!can_want(req))
		return;
	req->on_body.piece = piece;
	req->on_body.end = end;
	want(req, BODY_STREAM, limit);
}

void http_body_pause(struct http_req *req)
{
	req->paused = true;
}

void http_body_resume(struct http_req *req)
{
	if (!req->paused)
		return;
	req->paused = false;
	conn_schedule(req->conn);
}

/*
 * conn: one connection and the one request that is in work on it. Internal to server/http; the
 * files body.c, request.c, respond.c and stream.c are the functions of http.h over struct http_req.
 *
 *                    ┌──────────────────────────────────────────────┐
 *                    ▼                                              │ kept alive
 *   (accepted) ──► IDLE ──► HEAD ──► REQUEST ──► REST ──► FLUSH ────┤
 *                    │        │         │  └─────────────►┘         │ closing
 *                    │        │         │                           ▼
 *                    └────────┴─────────┴───────────────────────► LINGER ──► CLOSED
 *                  nothing to say, or the client is gone: straight to CLOSED
 *
 * One function advances (conn_advance): it runs the step of the state until no step makes progress.
 * It is called from the loop only: bytes, end of input, something sent, a deadline, or the ready
 * list. Calls made by handlers only note what is wanted and put the connection on the ready list,
 * so that a handler is never called from inside a call of its own.
 */
#pragma once
#include "server/http/chunked.h"
#include "server/http/parse.h"
#include "server/http/server.h"

enum conn_state {
	CONN_IDLE,    /* between requests: not a byte of the next one */
	CONN_HEAD,    /* a head has begun */
	CONN_REQUEST, /* the handler has it; its body may be arriving, its answer leaving */
	CONN_REST,    /* answered; the rest of a short body is read and dropped */
	CONN_FLUSH,   /* the answer is leaving */
	CONN_LINGER,  /* our side is shut; input is dropped until the client has seen it */
	CONN_CLOSED,
};

enum body_mode { BODY_UNDECIDED, BODY_COLLECT, BODY_STREAM };

enum answer_state { ANSWER_NONE, ANSWER_STREAM, ANSWER_DONE };

struct http_req {
	struct conn *conn;
	struct buf text; /* the head as sent; behind it the path and query, decoded */
	struct head head;
	uint32_t path_at, path_count; /* decoded segments, each ended by NUL */
	uint32_t query_at, query_end; /* decoded names and values, each ended by NUL */
	void *data;
	void (*release)(void *data);
	void (*on_abort)(struct http_req *req, void *app);

	enum body_mode body_mode;
	bool body_done; /* all of it has been taken from the wire and handed over */
	bool paused;
	bool continue_wanted; /* the client waits for "100 Continue" */
	bool too_large;
	uint64_t body_left; /* of a counted body */
	uint64_t body_limit, body_taken;
	struct chunked chunked;
	struct buf body;
	union {
		void (*collected)(struct http_req *req, struct str body, void *app);
		struct {
			void (*piece)(struct http_req *req, struct str bytes, void *app);
			void (*end)(struct http_req *req, bool complete, void *app);
		};
	} on_body;

	enum answer_state answer;
	bool over;  /* it ended without an answer of the handler, which is being told */
	bool close; /* the connection ends with this answer */
	bool keep;  /* decided when the answer's head was written */
	bool chunked_answer, counted_answer, empty_answer;
	bool cache_control;   /* set by the handler */
	struct buf reply;     /* extra header lines */
	uint64_t answer_left; /* of a counted stream */
	bool wants_drained;
	void (*drained)(struct http_req *req, void *app);
};

struct conn {
	struct wire wire;
	struct http_server *server;
	TAILQ_ENTRY(conn) all, ready;
	bool is_ready, advancing, eof, keep, is_tls;
	enum conn_state state;
	struct guard guard;
	struct str in;   /* input not yet looked at, while advancing */
	struct buf kept; /* the same, at other times; reading rests while there is any */
	uint64_t rest;   /* bytes to drop in CONN_REST */
	size_t requests;
	size_t burst; /* bytes streamed since the loop last came round */

	struct deadline deadline;
	uint64_t sent_mark;      /* wire_sent() at the last look */
	unsigned looks, windows; /* without progress; of this body */
	uint64_t window_bytes;
	size_t lingered;

	struct http_peer peer;
	struct http_req req;
};

enum {
	STREAM_BURST_BYTES = 512 << 10, /* of one stream; then other connections have their turn */
	ANSWERS_MAX_BYTES = 64 << 10, /* unsent answers, before another pipelined request is read */
	REST_MAX_BYTES = 64 << 10, /* an unread body up to this is dropped, a longer one closes */
	LINGER_MAX_BYTES = 16 << 20,
};

/* Takes the descriptor; counts itself in. `peer` is copied. */
void conn_start(struct http_server *s, int fd, const struct http_peer *peer,
		struct tls_context *tls);

/* Look at it again from the loop. */
void conn_schedule(struct conn *c);
void conn_advance(struct conn *c);
/* From the ready list. */
void conn_continue(struct conn *c);
/* Close when idle; otherwise its answer will be its last. */
void conn_drain(struct conn *c);
/* Close now; a handler at work hears on_abort. */
void conn_abort(struct conn *c);
/*
 * Answer `why` and close afterwards; a handler at work hears on_abort. An answer that has begun can
 * only be cut off. Needs conn_advance() after it.
 */
void conn_refuse(struct conn *c, const struct refusal *why);

/* Send parts of an answer; what the client does not take is copied and gets a deadline. */
void conn_write(struct conn *c, const struct str *parts, size_t count);

/* ---- conn_deadline.c ---- */
/* Set the deadline that goes with what the connection does now, if it is another than before. */
void conn_arm_deadline(struct conn *c);
void conn_on_deadline(struct deadline *d, enum deadline_kind kind);
/* Is it the client's turn to send some of a body? */
bool conn_awaits_body(const struct conn *c);

/* ---- body.c ---- */
void body_begin(struct http_req *req);
/*
 * Hand over what is there of a wanted body. True when something happened. A body that breaks the
 * rules gives *why (or sets too_large).
 */
bool body_advance(struct http_req *req, const struct refusal **why);

/* ---- request.c ---- */
/* Decode path and query of the head in req->text. */
void request_decode(struct http_req *req);

/* ---- respond.c ---- */
void respond_refusal(struct http_req *req, const struct refusal *why);
/* Ends the head: framing and connection lines by the request's state, into server->scratch. */
void respond_head(struct http_req *req, int status, const char *content_type, bool has_length,
		  uint64_t length);

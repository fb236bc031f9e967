/*
 * fixture: a listening server and its clients in one thread. Whatever waits, waits with
 * fixture_until() or a function built on it: the loop turns while nothing else happens, and a
 * wait that lasts ten seconds fails the test.
 */
#pragma once
#include <poll.h>
#include <uv.h>

#include "common/buf.h"
#include "server/http/http.h"

struct fixture {
	uv_loop_t loop;
	struct http_server *server;
	char *dir; /* a temporary folder */
	size_t turns;

	/* What the handlers saw. */
	struct http_req *pending; /* of /later, /follow and a paused /upload */
	struct buf uploaded;
	size_t pieces;
	bool pause_first; /* /upload pauses at its first piece */
	int ended, ended_incomplete, aborted, released, routed, drained_calls;
	bool drained, closed;
	uint64_t produced, to_produce; /* of /produce */
};

/* The handlers above, for a test that makes its own server; app is the fixture. */
void fixture_route(struct http_req *req, void *app);

/* limits may be NULL. */
void fixture_open(struct fixture *f, const struct http_limits *limits);
void fixture_close(struct fixture *f);

/* Turn the loop until done(arg), or until fd (or -1) is readable or writable. */
void fixture_turn(struct fixture *f, int fd, short events);
void fixture_until(struct fixture *f, bool (*done)(struct fixture *f));
void fixture_for_ms(struct fixture *f, int64_t ms);

/* A connected, non-blocking client of the first TCP listener. */
int client_open(struct fixture *f);
int client_open_unix(struct fixture *f, const char *path);
/* False when the server does not take it. */
bool client_send(struct fixture *f, int fd, struct str bytes);
bool client_say(struct fixture *f, int fd, const char *text);

struct answer {
	int status;
	struct buf head, body; /* a chunked body is put together */
	bool complete;         /* by its own framing */
};

/* Read one answer; bytes behind it stay in *rest for the next. HEAD answers have no body. */
void client_answer(struct fixture *f, int fd, struct buf *rest, bool head, struct answer *out);
void answer_release(struct answer *a);
bool answer_has(const struct answer *a, const char *header_line);
/* Read until the server closes; true when it did so in order, false for a reset. */
bool client_read_to_end(struct fixture *f, int fd, struct buf *out);

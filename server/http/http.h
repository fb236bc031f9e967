/*
 * http: HTTP/1.1 for the service: listeners, connections, and the request as a handler sees it.
 *
 * Every head passes a lexical guard (guard.h) before the parser sees a byte of it; one request is
 * in work per connection, pipelined bytes stay unread until it is answered. Deadlines are
 * absolute. Loop thread only; nothing blocks.
 *
 * Calling sequence of a server:
 *   1. http_server_create() with a route function and limits;
 *   2. http_listen_tcp() and http_listen_unix(), any number of times;
 *   3. http_server_drain(): stop listening, let answers finish; then `drained` is called;
 *   4. http_server_close().
 *
 * Life of a request: when the head is complete, `route` is called. It chooses what happens with
 * the body, by calling one of http_body_collect(), http_body_stream() or (no body wanted) answering
 * at once. The answer is given by exactly one http_respond*(), or by http_stream_begin() up to
 * http_stream_end(), at once or in a later callback. Then the request is over: it must not be used
 * after the callback that answered it. If it ends in another way (the client is gone, its body is
 * late, broken or too large, the server closes), the client is answered for you where there is one,
 * `on_abort` is called once, and the request must not be used after that. Either way `release` of
 * http_set_data() comes last.
 *
 * No callback is ever called from inside a call of yours (but for http_server_close(), which tells
 * the requests at work at once). A call on a request whose client has just gone does nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

struct uv_loop_s;
struct http_server;
struct http_req; /* opaque: accessors below */

/* A member that is 0 has the default. */
struct http_limits {
	size_t head_bytes; /* 32 KiB: 431 headers_too_large */
	size_t head_lines; /* 100 */
	/* 10 s from the first byte of a request to the end of its head: 408 timeout */
	int64_t head_timeout_ms;
	/*
	 * 30 s: a body may take this in any case, and longer while each third of it (10 s) brings
	 * at least 1 KiB a second: 408 timeout. The time of http_body_pause() does not count.
	 */
	int64_t body_timeout_ms;
	int64_t write_timeout_ms; /* 60 s without progress of the answer: closed */
	int64_t idle_timeout_ms;  /* 15 s between requests: closed */
	size_t requests_per_conn; /* 1000 */
	size_t conns; /* 4096 in all; beyond it accepting rests, but for Unix sockets (64 more) */
};

struct http_peer {
	bool is_unix; /* came through the Unix socket: uid, gid and pid are the kernel's word */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	char address[64]; /* "127.0.0.1:1234" or "unix" */
};

/* Called when a head is complete and well-formed. `app` is http_server_create()'s. */
typedef void (*http_route_fn)(struct http_req *req, void *app);

/* Ignores SIGPIPE in the whole process. `limits` is copied; NULL: the defaults. */
int http_server_create(struct http_server **out, struct uv_loop_s *loop,
		       const struct http_limits *limits, http_route_fn route, void *app,
		       struct err *err);
/*
 * "ADDR:PORT", "[V6]:PORT"; port 0 takes a free one. TLS when certificate and key are not NULL.
 * Words: config_listen, config_tls.
 */
int http_listen_tcp(struct http_server *s, const char *address, const char *certificate,
		    const char *key, struct err *err);
/* Replaces a stale socket file; mode 0660. */
int http_listen_unix(struct http_server *s, const char *path, struct err *err);
/* An inherited listening socket (systemd socket activation). Takes the fd, also on failure. */
int http_listen_fd(struct http_server *s, int fd, struct err *err);
/* "127.0.0.1:8080" of the first TCP listener, or NULL. */
const char *http_server_address(const struct http_server *s);
/*
 * Stop listening, close idle connections, make every answer under way its connection's last;
 * `drained` is called when no connection is left. Streams go on until their handlers end them.
 */
void http_server_drain(struct http_server *s, void (*drained)(void *app));
/* Ends every connection; `closed` when all handles are, after which the server is gone. */
void http_server_close(struct http_server *s, void (*closed)(void *app));

/* ---- the request ---- */
/* "GET": one of GET HEAD POST PUT PATCH DELETE. */
struct str http_method(const struct http_req *req);
/* Path split at '/', each segment percent-decoded once. "/v1/runs/" has 3, the last one empty. */
size_t http_path_len(const struct http_req *req);
struct str http_path_segment(const struct http_req *req, size_t i);
struct str http_path_raw(const struct http_req *req); /* as sent, without the query */
/* Decoded query value of the first `name` (without case, '$' included), or false. */
bool http_query(const struct http_req *req, const char *name, struct str *out);
/* First header `name` (without case), trimmed, or false. */
bool http_header(const struct http_req *req, const char *name, struct str *out);
size_t http_header_count(const struct http_req *req, const char *name);
const struct http_peer *http_peer(const struct http_req *req);
bool http_is_tls(const struct http_req *req);
/* For links that we hand out: "http://HOST" of this request's Host header and scheme. */
char *http_origin(const struct http_req *req);

/* The handler's own state; freed by `release` when the request ends, however it ends. */
void http_set_data(struct http_req *req, void *data, void (*release)(void *data));
void *http_data(const struct http_req *req);
/* A handler that answers later needs this or `release`: how else would it learn of the end? */
void http_on_abort(struct http_req *req, void (*on_abort)(struct http_req *req, void *app));

/*
 * Read the whole body up to `limit` bytes (413 too_large is answered for you, before reading when
 * the length says so), then call `done`. The body is borrowed until the request ends.
 */
void http_body_collect(struct http_req *req, size_t limit,
		       void (*done)(struct http_req *req, struct str body, void *app));
/*
 * Hand the body out in pieces; `piece` may call http_body_pause() and later http_body_resume();
 * while paused, at most 64 KiB more are read. After the last one `end` is called with complete =
 * true. A broken, late or too large body gives complete = false, then on_abort: the connection
 * answers and closes by itself.
 */
void http_body_stream(struct http_req *req, uint64_t limit,
		      void (*piece)(struct http_req *req, struct str bytes, void *app),
		      void (*end)(struct http_req *req, bool complete, void *app));
void http_body_pause(struct http_req *req);
void http_body_resume(struct http_req *req);

/* ---- the answer ---- */
/*
 * An extra header of the answer to come, copied; control bytes in it become '?'. Date,
 * X-Content-Type-Options: nosniff, Cache-Control: no-store (unless set here), Content-Length and
 * Connection are added for you.
 */
void http_reply_header(struct http_req *req, const char *name, const char *value);
/* Whole answer. `body` is copied. HEAD sends no body. */
void http_respond(struct http_req *req, int status, const char *content_type, struct str body);
void http_respond_json(struct http_req *req, int status, const char *json_text);
/*
 * {"error":{"code","message","target","details":[]}}; `target` may be NULL. What the format's
 * arguments quote is cut at about 200 bytes in all, and control bytes are escaped.
 */
void http_respond_error(struct http_req *req, int status, const char *code, const char *target,
			const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/*
 * Status from the code (INVALID 400, NOTFOUND 404, CONFLICT and CANCELED 409, DENIED 403, LIMIT
 * 413, TIMEOUT 408, UNAVAILABLE 503 with Retry-After, INTERNAL 500), word and message from err.
 */
void http_respond_err(struct http_req *req, const struct err *err);

/*
 * An answer of unknown length, chunked. Write pieces of at most 64 KiB until http_stream_write()
 * returns false ("enough for now": the client's socket is full, or other connections should have
 * their turn); then wait for `drained`. What the socket does not take is the only copy that is kept
 * for a slow client. A stream may be silent for as long as it likes: there is no deadline while
 * nothing waits to be sent.
 */
void http_stream_begin(struct http_req *req, int status, const char *content_type,
		       void (*drained)(struct http_req *req, void *app));
bool http_stream_write(struct http_req *req, struct str bytes); /* copied */
void http_stream_end(struct http_req *req);
/*
 * As above with a known length (206, 200 of a file). More than `length` bytes are not sent; with
 * fewer the connection is closed, so that the client notices.
 */
void http_stream_begin_length(struct http_req *req, int status, const char *content_type,
			      uint64_t length, void (*drained)(struct http_req *req, void *app));

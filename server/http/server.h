/* server: what the connections of one HTTP server share. Internal; the way in is http.h. */
#pragma once
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "server/http/deadline.h"
#include "server/http/guard.h"
#include "server/http/http.h"
#include "server/http/wire.h"

struct conn;
struct listener;

struct http_server {
	uv_loop_t *loop;
	struct http_limits limits;
	struct guard_limits guard_limits;
	http_route_fn route;
	void *app;

	TAILQ_HEAD(listener_list, listener) listeners;
	uv_timer_t accept_timer; /* accepting rests until it fires */
	int spare_fd;            /* given up for a moment to answer when descriptors are out */

	TAILQ_HEAD(conn_list, conn) conns;
	size_t open; /* connections */
	struct deadlines deadlines;
	/* Connections that something happened to inside a call; looked at from the loop. */
	TAILQ_HEAD(ready_list, conn) ready;
	uv_idle_t ready_idle;

	struct wire_buffers buffers;
	struct buf scratch; /* the head of the answer being written */
	char date[40];      /* "Date: …\r\n" of the second `date_s` */
	int64_t date_s;

	bool draining, closing;
	size_t handles; /* of the server and its listeners, still open */
	void (*drained)(void *app);
	void (*closed)(void *app);
};

/* The Date header of now, with its CRLF. */
struct str server_date(struct http_server *s);
/* Call conn_continue() from the loop. */
void server_schedule(struct http_server *s, struct conn *c);
/* A connection or a listener's handle is gone. */
void server_conn_closed(struct http_server *s);
void server_handle_closed(struct http_server *s);

/* Start or rest accepting, as the number of connections and the clock want it. */
void listeners_update(struct http_server *s);
void listeners_close(struct http_server *s);

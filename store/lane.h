/*
 * lane: a worker thread with one connection and a FIFO of requests.
 *
 *   writer: takes all that wait (up to LANE_GROUP) into one transaction, each under a savepoint of
 *           its own, so that one failure undoes only its own request; commits once; returns them.
 *           When the transaction as a whole cannot be kept, every request of the group fails.
 *   reader: one request at a time, each on a snapshot of its own.
 *
 * Requests come back in their order through `returns`, which calls `done` on the loop.
 */
#pragma once
#include <uv.h>

#include "store/db.h"

enum { LANE_GROUP = 256 }; /* requests in one commit: bounds how long the last one waits */

struct requests { /* a FIFO, linked through the requests */
	struct store_req *first, *last;
};
void requests_push(struct requests *q, struct store_req *req);
struct store_req *requests_pop(struct requests *q); /* or NULL */

/* The way back from both lanes to the loop. */
struct returns {
	uv_mutex_t mutex;
	uv_async_t async;
	struct requests requests;
	int lanes_open; /* threads that may still send */
};

struct lane {
	struct store_db db;
	struct returns *returns;
	uv_thread_t thread;
	uv_mutex_t mutex;
	uv_cond_t wake;
	struct requests waiting;
	size_t waiting_len, last_group;
	bool started, stopping;
};

void lane_init(struct lane *l, const char *path, enum db_mode mode, struct returns *returns);
/* Start the thread; from now on it alone touches l->db. */
int lane_start(struct lane *l, struct err *err);
/* Loop thread. After lane_stop() nothing may be submitted any more. */
void lane_submit(struct lane *l, struct store_req *req);
/* The thread does what waits, closes its connection, says so in `returns`, and ends. */
void lane_stop(struct lane *l);
/* Of a lane whose thread was told to stop or never started. */
void lane_release(struct lane *l);

/* One transaction over `group` on the calling thread, as the writer does it. */
void lane_run_group(struct store_db *db, struct requests *group);

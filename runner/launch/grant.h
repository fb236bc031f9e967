/*
 * grant: the server's side of the push fence. A runner that wants to push waits; it may go on when
 * the queue has agreed that this attempt is still the run's (a compare-and-set) and the file
 * `grant` is on disk, in this order.
 *
 *   ASKING ──► WRITING ──► GRANTED        errors of the disk or database: again after a second
 *      └─────► REFUSED                    canceled, or not this attempt's run any more
 *
 * Loop thread only; the file is written on the thread pool.
 */
#pragma once
#include "queue/queue.h"

struct uv_loop_s;
struct grant;

struct grant_opts {
	struct queue *queue;
	const char *data_dir; /* copied, like run_id */
	const char *run_id;
	int attempt;
	void (*refused)(void *data); /* the runner should stop */
	void *data;
};

void grant_start(struct grant **out, struct uv_loop_s *loop, const struct grant_opts *opts);
void grant_close(struct grant *g); /* NULL is fine; no callback comes after it */

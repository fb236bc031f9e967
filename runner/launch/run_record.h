/*
 * run_record: what is known of one attempt of a run (the fold of its report), and the telling of
 * it to the queue. Errors of the database are repeated until they pass: a result is never dropped.
 *
 * Calling sequence:
 *   1. run_record_create();
 *   2. run_record_apply() for each line, run_record_tell() when there is none for now;
 *   3. run_record_finish() or run_record_lose(), once; `ended` follows;
 *   4. run_record_close(): no callback comes after it.
 *
 * Loop thread only; nothing blocks.
 */
#pragma once
#include "queue/queue.h"
#include "runner/contract/report.h"

struct uv_loop_s;
struct run_record;

struct run_record_opts {
	struct queue *queue;
	const char *run_id; /* copied */
	int attempt;
	void (*told)(bool applied, void *data);   /* progress is in the database, or was refused */
	void (*ended)(bool terminal, void *data); /* ended for good, or queued again */
	void *data;
};

void run_record_create(struct run_record **out, struct uv_loop_s *loop,
		       const struct run_record_opts *opts);
/* False when the line is of another attempt. */
bool run_record_apply(struct run_record *r, const struct report_line *line);
/* Record the progress, if there is any. One message is under way at a time, so that a chatty
 * report becomes few transactions. */
void run_record_tell(struct run_record *r);
/* End it as its result line says, or for *why (an error word of model/cause.h) if that is given. */
void run_record_finish(struct run_record *r, const struct err *why);
/* The runner is gone without a result. */
void run_record_lose(struct run_record *r, const char *why);
void run_record_close(struct run_record *r); /* NULL is fine */

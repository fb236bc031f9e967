#include "runner/launch/run_record.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "common/mem.h"
#include "model/cause.h"

enum { RETRY_MS = 1000 };

struct run_record {
	struct run run; /* id, attempt and the fold */
	struct queue *queue;
	uv_timer_t retry; /* of the end */
	char *lost_why;   /* the end is a loss */
	bool changed;     /* there is news for the queue */
	bool telling;     /* and it is on its way there */
	int pending;      /* callbacks that are still to come */
	bool closed, timer_gone;
	void (*told)(bool applied, void *data);
	void (*ended)(bool terminal, void *data);
	void *data;
};

static void maybe_free(struct run_record *r)
{
	if (r->pending > 0 || !r->timer_gone)
		return;
	run_release(&r->run);
	free(r->lost_why);
	free(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct run_record *r = handle->data;

	r->timer_gone = true;
	maybe_free(r);
}

bool run_record_apply(struct run_record *r, const struct report_line *line)
{
	if (line->attempt != r->run.attempt)
		return false;
	report_apply(&r->run, line);
	r->changed = true;
	return true;
}

/* ---- progress ---- */

static void on_told(bool applied, const struct err *err, void *data)
{
	struct run_record *r = data;

	r->pending--;
	r->telling = false;
	if (r->closed) {
		maybe_free(r);
		return;
	}
	if (err)
		log_warn("run.progress_lost", "run=%s error=\"%s\"", r->run.id, err->msg);
	else
		r->told(applied, r->data);
	if (!r->closed)
		run_record_tell(r);
}

void run_record_tell(struct run_record *r)
{
	if (!r->changed || r->telling)
		return;
	r->changed = false;
	r->telling = true;
	r->pending++;
	queue_progress(r->queue, r->run.id, r->run.attempt, &r->run, on_told, r);
}

/* ---- the end ---- */

static void send_end(struct run_record *r);

static void on_retry(uv_timer_t *timer)
{
	send_end(timer->data);
}

static void retry_later(struct run_record *r, const struct err *err)
{
	log_error("run.end_not_recorded", "run=%s error=\"%s\"", r->run.id, err->msg);
	uv_timer_start(&r->retry, on_retry, RETRY_MS, 0);
}

static void on_finished(bool applied, const struct err *err, void *data)
{
	struct run_record *r = data;

	r->pending--;
	if (!err && !applied)
		log_warn("run.end_refused", "run=%s attempt=%d", r->run.id, r->run.attempt);
	if (r->closed)
		maybe_free(r);
	else if (err)
		retry_later(r, err);
	else
		r->ended(true, r->data);
}

static void on_lost(const struct run *run, const struct err *err, void *data)
{
	struct run_record *r = data;

	r->pending--;
	if (r->closed)
		maybe_free(r);
	else if (err && err->code != ERR_NOTFOUND && err->code != ERR_CONFLICT)
		retry_later(r, err);
	else
		r->ended(!run || run_status_is_terminal(run->status), r->data);
}

static void send_end(struct run_record *r)
{
	r->pending++;
	if (r->lost_why)
		queue_lost(r->queue, r->run.id, r->run.attempt, r->lost_why, on_lost, r);
	else
		queue_finish(r->queue, r->run.id, r->run.attempt, &r->run, on_finished, r);
}

void run_record_finish(struct run_record *r, const struct err *why)
{
	if (why) {
		r->run.status = cause_of(why->word)->status;
		free(r->run.error_code);
		free(r->run.error_message);
		r->run.error_code = xstrdup(why->word);
		r->run.error_message = xstrdup(why->msg);
	}
	send_end(r);
}

void run_record_lose(struct run_record *r, const char *why)
{
	r->lost_why = xstrdup(why);
	send_end(r);
}

/* ---- life ---- */

void run_record_create(struct run_record **out, struct uv_loop_s *loop,
		       const struct run_record_opts *opts)
{
	struct run_record *r = xnew(struct run_record);

	*r = (struct run_record){
		.run = { .id = xstrdup(opts->run_id), .attempt = opts->attempt },
		.queue = opts->queue,
		.told = opts->told,
		.ended = opts->ended,
		.data = opts->data,
	};
	uv_timer_init(loop, &r->retry);
	r->retry.data = r;
	*out = r;
}

void run_record_close(struct run_record *r)
{
	if (!r || r->closed)
		return;
	r->closed = true;
	uv_close((uv_handle_t *)&r->retry, on_timer_closed);
}

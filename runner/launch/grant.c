#include "runner/launch/grant.h"

#include <stdlib.h>
#include <uv.h>

#include "common/log.h"
#include "common/mem.h"
#include "runner/contract/rundir.h"

enum { RETRY_MS = 1000 };

struct grant {
	uv_timer_t retry;
	uv_work_t work;
	bool busy;       /* a callback is still to come */
	bool closed;     /* by its owner */
	bool timer_gone; /* and then by the loop */
	struct queue *queue;
	char *data_dir, *run_id;
	int attempt;
	struct err err; /* of the work */
	void (*refused)(void *data);
	void *data;
};

static void maybe_free(struct grant *g)
{
	if (g->busy || !g->timer_gone)
		return;
	free(g->data_dir);
	free(g->run_id);
	free(g);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct grant *g = handle->data;

	g->timer_gone = true;
	maybe_free(g);
}

static void ask(struct grant *g);

static void on_retry(uv_timer_t *timer)
{
	ask(timer->data);
}

static void retry(struct grant *g, const struct err *err)
{
	log_warn("grant.failed", "run=%s attempt=%d error=\"%s\"", g->run_id, g->attempt, err->msg);
	uv_timer_start(&g->retry, on_retry, RETRY_MS, 0);
}

static void write_file(uv_work_t *work)
{
	struct grant *g = work->data;

	g->err = (struct err){ 0 };
	rundir_grant(g->data_dir, g->run_id, g->attempt, &g->err);
}

static void on_written(uv_work_t *work, int status)
{
	struct grant *g = work->data;
	(void)status;

	g->busy = false;
	if (g->closed)
		maybe_free(g);
	else if (g->err.code != ERR_NONE)
		retry(g, &g->err);
	else
		log_debug("grant.written", "run=%s attempt=%d", g->run_id, g->attempt);
}

static void on_answer(bool applied, const struct err *err, void *data)
{
	struct grant *g = data;

	g->busy = false;
	if (g->closed) {
		maybe_free(g);
	} else if (err) {
		retry(g, err);
	} else if (!applied) {
		log_info("grant.refused", "run=%s attempt=%d", g->run_id, g->attempt);
		g->refused(g->data);
	} else {
		g->busy = true;
		uv_queue_work(g->retry.loop, &g->work, write_file, on_written);
	}
}

static void ask(struct grant *g)
{
	g->busy = true;
	queue_grant_push(g->queue, g->run_id, g->attempt, on_answer, g);
}

void grant_start(struct grant **out, struct uv_loop_s *loop, const struct grant_opts *opts)
{
	struct grant *g = xnew(struct grant);

	*g = (struct grant){
		.queue = opts->queue,
		.data_dir = xstrdup(opts->data_dir),
		.run_id = xstrdup(opts->run_id),
		.attempt = opts->attempt,
		.refused = opts->refused,
		.data = opts->data,
	};
	uv_timer_init(loop, &g->retry);
	g->retry.data = g->work.data = g;
	*out = g;
	ask(g);
}

void grant_close(struct grant *g)
{
	if (!g || g->closed)
		return;
	g->closed = true;
	uv_close((uv_handle_t *)&g->retry, on_timer_closed);
}

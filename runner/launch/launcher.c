#include "runner/launch/launcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "common/mem.h"
#include "runner/launch/probe.h"
#include "runner/launch/run_proc.h"
#include "runner/launch/spare.h"

enum { RETRY_MS = 1000, SPARE_DELAY_MS = 100 };

struct launcher {
	struct uv_loop_s *loop;
	struct queue *queue;
	struct launcher_opts opts; /* strings are ours */
	struct run_proc_opts run_opts;
	struct spare *spare;
	struct probe *probe;
	struct run_proc **runs; /* each has a place */
	size_t runs_len;
	uv_timer_t retry; /* after an error of the database */
	uv_timer_t spare_timer;

	bool recovered; /* until then the free places are not known */
	bool asking;    /* a question to the queue is under way */
	bool again;     /* somebody kicked meanwhile: what was asked may be out of date */
	bool draining;

	bool closing;
	int open; /* runs, timer and probe that are still to close */
	void (*closed)(void *data);
	void *closed_data;
};

/* ---- places ---- */

static void on_run_end(struct run_proc *p, void *data)
{
	struct launcher *l = data;

	for (size_t i = 0; i < l->runs_len; i++) {
		if (l->runs[i] == p)
			l->runs[i] = l->runs[--l->runs_len];
	}
	run_proc_close(p, NULL, NULL);
	launcher_kick(l);
}

static void on_progress(const char *run_id, bool ended, void *data)
{
	struct launcher *l = data;
	l->opts.on_progress(run_id, ended, l->opts.data);
}

static void on_part_closed(void *data);

static void add_run(struct launcher *l, struct run_proc *p)
{
	l->runs = xreallocarray(l->runs, l->runs_len + 1, sizeof(struct run_proc *));
	l->runs[l->runs_len++] = p;
	if (l->closing) { /* it came with the last answer of the queue: it still gets its runner */
		l->open++;
		run_proc_close(p, on_part_closed, l);
	}
}

/* ---- claiming ---- */

static void start_run(struct launcher *l, const struct run *run)
{
	struct spec spec = { 0 };
	struct err err = { 0 };
	struct process *spare;
	char *spare_err = NULL;
	struct run_proc *p;

	if (l->opts.specify(&spec, run, l->opts.data, &err) < 0) {
		run_proc_refuse(&p, &l->run_opts, run, &err);
	} else {
		spare = l->spare ? spare_take(l->spare, &spare_err) : NULL;
		run_proc_start(&p, &l->run_opts, run, &spec, spare, spare_err);
	}
	add_run(l, p);
}

static void on_retry(uv_timer_t *timer)
{
	struct launcher *l = timer->data;

	if (l->recovered)
		launcher_kick(l);
	else
		launcher_recover(l);
}

static void retry_later(struct launcher *l, const char *what, const struct err *err)
{
	log_error("launcher.storage", "what=%s error=\"%s\"", what, err->msg);
	if (!l->closing)
		uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

static void on_spare_timer(uv_timer_t *timer)
{
	struct launcher *l = timer->data;

	if (!l->draining)
		spare_want(l->spare);
}

/* Not at once: loading the next spare would take the processors from the run that just begins. */
static void want_spare(struct launcher *l)
{
	if (!l->closing && !uv_is_active((uv_handle_t *)&l->spare_timer))
		uv_timer_start(&l->spare_timer, on_spare_timer, SPARE_DELAY_MS, 0);
}

static void maybe_closed(struct launcher *l);

static void on_claimed(const struct run *run, const struct err *err, void *data)
{
	struct launcher *l = data;
	bool again = l->again;

	l->asking = false;
	l->again = false;
	if (err) {
		retry_later(l, "claim", err);
	} else if (run) {
		start_run(l, run);
		launcher_kick(l);
	} else if (again) {
		launcher_kick(l);
	} else if (!l->draining) {
		want_spare(l);
	}
	maybe_closed(l);
}

void launcher_kick(struct launcher *l)
{
	if (l->asking) {
		l->again = true;
		return;
	}
	if (l->draining || !l->recovered)
		return;
	if ((int)l->runs_len >= l->opts.max_running) {
		want_spare(l);
		return;
	}
	l->asking = true;
	queue_claim(l->queue, on_claimed, l);
}

/* ---- recovering ---- */

static void adopt_run(struct launcher *l, const struct run *run)
{
	struct spec spec = { 0 };
	struct err err = { 0 };
	struct run_proc *p;

	if (l->opts.specify(&spec, run, l->opts.data, &err) < 0)
		log_warn("run.adopt", "run=%s error=\"%s\"", run->id, err.msg);
	run_proc_adopt(&p, &l->run_opts, run, &spec);
	add_run(l, p);
}

static void on_unfinished(const struct run *runs, size_t len, bool more, const struct err *err,
			  void *data)
{
	struct launcher *l = data;
	(void)more;

	l->asking = false;
	l->again = false;
	if (err) {
		retry_later(l, "recover", err);
	} else {
		l->recovered = true;
		for (size_t i = 0; i < len && !l->closing; i++)
			adopt_run(l, &runs[i]);
		launcher_kick(l);
	}
	maybe_closed(l);
}

void launcher_recover(struct launcher *l)
{
	l->asking = true;
	queue_unfinished(l->queue, on_unfinished, l);
}

/* ---- controls ---- */

void launcher_cancel(struct launcher *l, const char *run_id)
{
	for (size_t i = 0; i < l->runs_len; i++) {
		if (strcmp(run_proc_run_id(l->runs[i]), run_id) == 0)
			run_proc_cancel(l->runs[i]);
	}
}

void launcher_configure(struct launcher *l, int max_running, int64_t grace_ms)
{
	l->opts.max_running = max_running;
	l->run_opts.grace_ms = grace_ms;
	launcher_kick(l);
}

void launcher_drain(struct launcher *l)
{
	l->draining = true;
}

int launcher_running(const struct launcher *l)
{
	return (int)l->runs_len;
}

void launcher_probe(struct launcher *l, const struct spec *spec, launcher_probe_cb cb, void *data)
{
	probe_ask(l->probe, spec, cb, data);
}

/* ---- life ---- */

int launcher_create(struct launcher **out, struct uv_loop_s *loop, struct queue *q,
		    const struct launcher_opts *opts, struct err *err)
{
	if (access(opts->runner_path, X_OK) < 0)
		return err_set_errno(err, ERR_INVALID, "runner_missing", errno,
				     "the runner %s cannot be started", opts->runner_path);
	struct launcher *l = xnew(struct launcher);

	*l = (struct launcher){ .loop = loop, .queue = q, .opts = *opts, .open = 3 };
	l->opts.runner_path = xstrdup(opts->runner_path);
	l->opts.data_dir = xstrdup(opts->data_dir);
	l->run_opts = (struct run_proc_opts){
		.loop = loop,
		.queue = q,
		.program = l->opts.runner_path,
		.data_dir = l->opts.data_dir,
		.grace_ms = opts->grace_ms,
		.on_progress = on_progress,
		.on_end = on_run_end,
		.data = l,
	};
	l->spare = spare_create(loop, l->opts.runner_path, l->opts.data_dir);
	l->probe = probe_create(loop, l->opts.runner_path);
	uv_timer_init(loop, &l->retry);
	l->retry.data = l;
	uv_timer_init(loop, &l->spare_timer);
	l->spare_timer.data = l;
	*out = l;
	return 0;
}

static void maybe_closed(struct launcher *l)
{
	if (!l->closing || l->open > 0 || l->asking)
		return;
	void (*closed)(void *) = l->closed;
	void *data = l->closed_data;

	free((char *)l->opts.runner_path);
	free((char *)l->opts.data_dir);
	free(l->runs);
	free(l);
	if (closed)
		closed(data);
}

static void on_part_closed(void *data)
{
	struct launcher *l = data;

	l->open--;
	maybe_closed(l);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

void launcher_close(struct launcher *l, void (*closed)(void *data), void *data)
{
	l->closing = l->draining = true;
	l->closed = closed;
	l->closed_data = data;
	l->open += (int)l->runs_len;
	for (size_t i = 0; i < l->runs_len; i++)
		run_proc_close(l->runs[i], on_part_closed, l);
	spare_destroy(l->spare);
	l->spare = NULL; /* a run that is still being claimed gets a runner of its own */
	uv_close((uv_handle_t *)&l->retry, on_timer_closed);
	uv_close((uv_handle_t *)&l->spare_timer, on_timer_closed);
	probe_close(l->probe, on_part_closed, l);
}

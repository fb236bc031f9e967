/*
 * One run under way, as a machine. What moves it: the report of the runner, the end of its
 * process, a cancel, and one deadline per state.
 *
 *  claimed ─► PREPARING ─► STARTING ─► RUNNING ─► LEAVING     found ─► SEEKING ─► STARTING, …
 *                 │            │          │          │                    │
 *                 │            └──────────┼──────────┘ cancel, late       │ nobody runs it
 *                 │                       ▼                               │
 *                 │                   STOPPING ──► KILLING                │
 *                 │                       │           │                   │
 *                 │                       └─────┬─────┴───────────────────┘
 *                 │                             ▼   from any of these: the process has ended
 *                 │           a result line, and not killed ───────────┐
 *                 │                             else: SWEEPING ────────┤
 *                 └─ could not start ──────────────────────────────────┴► ENDING ─► DONE
 *
 * The result is the line, not the exit code. A runner without one is swept by its run id before
 * its run is given back to the queue, so that no two runners of a run exist at once.
 */
#include "runner/launch/run_proc.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "runner/contract/rundir.h"
#include "runner/launch/grant.h"
#include "runner/launch/helper.h"
#include "runner/launch/process.h"
#include "runner/launch/run_follow.h"
#include "runner/launch/run_record.h"

enum state {
	PREPARING, /* claimed; the run directory is being made */
	SEEKING,   /* found in the database: is there a runner? */
	STARTING,  /* the runner has its specification and has not said "started" */
	RUNNING,
	LEAVING,  /* it has told its result and has nothing left to do but to go */
	STOPPING, /* it was sent SIGTERM */
	KILLING,  /* it was sent SIGKILL */
	SWEEPING, /* it is gone; what it left behind is being removed */
	ENDING,   /* the queue is being told */
	DONE,
};

enum {
	START_MS = 60000,   /* from the specification to "started" */
	SEEK_MS = 2000,     /* a runner that has its specification takes its lock in this time */
	SEEK_STEP_MS = 100, /* between two looks */
	LATE_MS = 30000,    /* beyond deadline and grace: it does not end by itself */
	ESCALATE_MS = 5000, /* beyond the grace time after SIGTERM */
	KILL_MS = 10000,
	SWEEP_MS = 120000,
	HAND_OVER_MS = 20, /* at shutdown: look again whether the runner has its specification */
};

#define TO(s) (1u << (s))
static const struct {
	const char *name;
	unsigned next;
} states[] = {
	[PREPARING] = { "preparing", TO(STARTING) | TO(ENDING) },
	[SEEKING] = { "seeking", TO(STARTING) | TO(RUNNING) | TO(SWEEPING) | TO(ENDING) },
	[STARTING] = { "starting", TO(RUNNING) | TO(STOPPING) | TO(SWEEPING) | TO(ENDING) },
	[RUNNING] = { "running", TO(LEAVING) | TO(STOPPING) | TO(SWEEPING) | TO(ENDING) },
	[LEAVING] = { "leaving", TO(STOPPING) | TO(SWEEPING) | TO(ENDING) },
	[STOPPING] = { "stopping", TO(KILLING) | TO(SWEEPING) | TO(ENDING) },
	[KILLING] = { "killing", TO(SWEEPING) },
	[SWEEPING] = { "sweeping", TO(ENDING) },
	[ENDING] = { "ending", TO(DONE) },
	[DONE] = { "done", 0 },
};

struct run_proc {
	struct run_proc_opts opts;
	enum state state;
	uv_timer_t deadline; /* of the state */
	uv_work_t prepare;

	char *run_id;
	int attempt;
	int64_t late_at_ms; /* wall clock: from then on it is stopped as overdue */
	char *spec_text;    /* until the runner has it */
	char *sweep_text;   /* the same without secrets */
	char *spare_err;
	struct err prepare_err;

	struct process *process;
	struct run_record *record;
	struct run_follow *follow;
	struct grant *grant;
	struct helper *sweep;

	bool started_line, result_line; /* of this attempt */
	bool stop_wanted;               /* canceled */
	bool late, killed;
	char end_text[80]; /* "exited with status 3" */
	int64_t seek_until_ms;

	bool closing, preparing, timer_gone;
	void (*closed)(void *data);
	void *closed_data;
};

static void on_deadline(uv_timer_t *timer);
static void maybe_released(struct run_proc *p);

static void wait_at_most(struct run_proc *p, int64_t ms)
{
	uv_timer_start(&p->deadline, on_deadline, (uint64_t)(ms > 0 ? ms : 0), 0);
}

static void move(struct run_proc *p, enum state to)
{
	assert(states[p->state].next & TO(to));
	log_debug("run.state", "run=%s attempt=%d from=%s to=%s", p->run_id, p->attempt,
		  states[p->state].name, states[to].name);
	p->state = to;
	uv_timer_stop(&p->deadline);
}

static bool has_process(const struct run_proc *p)
{
	return p->state >= STARTING && p->state <= KILLING;
}

/* ---- the end ---- */

static void on_ended(bool terminal, void *data)
{
	struct run_proc *p = data;

	move(p, DONE);
	p->opts.on_progress(p->run_id, terminal, p->opts.data);
	p->opts.on_end(p, p->opts.data);
}

static void end(struct run_proc *p)
{
	struct err late = { 0 };
	char why[160];

	move(p, ENDING);
	if (p->result_line) {
		run_record_finish(p->record, NULL);
	} else if (p->late && !p->stop_wanted) {
		err_set(&late, ERR_TIMEOUT, "timeout",
			"the run did not end at its deadline and was stopped by force");
		run_record_finish(p->record, &late);
	} else {
		snprintf(why, sizeof why, "the runner %s without a result", p->end_text);
		run_record_lose(p->record, why);
	}
}

static void on_swept(struct str output, const struct err *err, void *data)
{
	struct run_proc *p = data;
	(void)output;

	p->sweep = NULL;
	if (err)
		log_warn("run.sweep_failed", "run=%s error=\"%s\"", p->run_id, err->msg);
	if (p->closing)
		maybe_released(p);
	else
		end(p);
}

static void sweep(struct run_proc *p)
{
	struct err err = { 0 };
	struct helper_opts opts = {
		.program = p->opts.program,
		.verb = "sweep",
		.text = p->sweep_text,
		.deadline_ms = SWEEP_MS,
		.done = on_swept,
		.data = p,
	};

	move(p, SWEEPING);
	p->sweep_text = NULL;
	if (opts.text && helper_start(&p->sweep, p->opts.loop, &opts, &err) == 0)
		return;
	log_warn("run.sweep_failed", "run=%s error=\"%s\"", p->run_id,
		 opts.text ? err.msg : "no specification");
	end(p);
}

/* The process is gone, or there never was one: what do the last lines say? */
static void settle(struct run_proc *p)
{
	run_follow_read(p->follow);
	if (p->result_line && !p->killed)
		end(p);
	else
		sweep(p);
}

static void on_process_end(int status, void *data)
{
	struct run_proc *p = data;

	process_end_text(p->end_text, sizeof p->end_text, status);
	process_close(p->process);
	p->process = NULL;
	if (p->state != PREPARING) /* else a spare died before it had its run: another is started */
		settle(p);
}

/* ---- stopping ---- */

static void stop(struct run_proc *p)
{
	log_info("run.stop", "run=%s attempt=%d%s", p->run_id, p->attempt,
		 p->stop_wanted ? "" : " reason=late");
	move(p, STOPPING);
	process_signal(p->process, SIGTERM);
	wait_at_most(p, p->opts.grace_ms + ESCALATE_MS);
}

static void kill_process(struct run_proc *p)
{
	log_warn("run.kill", "run=%s attempt=%d", p->run_id, p->attempt);
	if (p->state != KILLING)
		move(p, KILLING);
	p->killed = true;
	process_signal(p->process, SIGKILL);
	wait_at_most(p,
		     KILL_MS); /* a process in the kernel may take its time: again, until it goes */
}

void run_proc_cancel(struct run_proc *p)
{
	p->stop_wanted = true;
	if (p->state == STARTING || p->state == RUNNING)
		stop(p);
}

/* ---- the report ---- */

static void on_refused(void *data)
{
	run_proc_cancel(data);
}

static void want_grant(struct run_proc *p)
{
	struct grant_opts opts = {
		.queue = p->opts.queue,
		.data_dir = p->opts.data_dir,
		.run_id = p->run_id,
		.attempt = p->attempt,
		.refused = on_refused,
		.data = p,
	};

	if (!p->grant)
		grant_start(&p->grant, p->opts.loop, &opts);
}

static void watch_overdue(struct run_proc *p)
{
	wait_at_most(p, p->late_at_ms - clock_now_ms());
}

static void on_line(const struct report_line *line, void *data)
{
	struct run_proc *p = data;

	if (!run_record_apply(p->record, line))
		return;
	p->started_line = true; /* any line says so: the first may be of a later version */
	if (line->type == REPORT_RESULT)
		p->result_line = true;
	if (line->type == REPORT_PUSH_WANTED)
		want_grant(p);
}

static void on_pause(void *data)
{
	struct run_proc *p = data;

	if (p->state == STARTING && p->started_line) {
		move(p, RUNNING);
		watch_overdue(p);
	}
	if (has_process(p) && !p->result_line)
		run_record_tell(p->record);
	if (p->state == RUNNING && p->result_line) {
		move(p, LEAVING);
		wait_at_most(p, p->opts.grace_ms + ESCALATE_MS);
	}
}

static void on_log(void *data)
{
	struct run_proc *p = data;
	p->opts.on_progress(p->run_id, false, p->opts.data);
}

static void on_told(bool applied, void *data)
{
	struct run_proc *p = data;

	if (!applied && has_process(p))
		run_proc_cancel(p); /* the run is not this attempt's any more */
	p->opts.on_progress(p->run_id, false, p->opts.data);
}

static void follow(struct run_proc *p)
{
	struct run_follow_opts opts = {
		.data_dir = p->opts.data_dir,
		.run_id = p->run_id,
		.on_line = on_line,
		.on_pause = on_pause,
		.on_log = on_log,
		.data = p,
	};

	run_follow_start(&p->follow, p->opts.loop, &opts);
}

/* ---- starting ---- */

static int start_process(struct run_proc *p, struct err *err)
{
	char *err_path = rundir_path(p->opts.data_dir, p->run_id, "runner.err");
	struct process_opts opts = {
		.program = p->opts.program,
		.err_path = err_path,
		.on_end = on_process_end,
		.data = p,
	};
	int rc = 0;

	if (p->process)
		process_hand_over(p->process, on_process_end, p);
	else
		rc = process_start(&p->process, p->opts.loop, &opts, err);
	free(err_path);
	if (rc < 0)
		return -1;
	process_feed(p->process, p->spec_text, strlen(p->spec_text));
	p->spec_text = NULL;
	return 0;
}

static void cannot_start(struct run_proc *p, const struct err *err)
{
	log_error("run.cannot_start", "run=%s error=\"%s\"", p->run_id, err->msg);
	move(p, ENDING);
	if (err->code == ERR_UNAVAILABLE)
		run_record_lose(p->record, err->msg); /* it may go better next time */
	else
		run_record_finish(p->record, err);
}

static void prepare(uv_work_t *work)
{
	struct run_proc *p = work->data;

	if (rundir_create(p->opts.data_dir, p->run_id, &p->prepare_err) < 0 || !p->spare_err)
		return;
	char *to = rundir_path(p->opts.data_dir, p->run_id, "runner.err");
	if (rename(p->spare_err, to) < 0)
		err_set_errno(&p->prepare_err, ERR_INTERNAL, "storage", errno, "cannot make %s",
			      to);
	free(to);
}

static void on_prepared(uv_work_t *work, int status)
{
	struct run_proc *p = work->data;
	struct err err = { 0 };
	(void)status;

	p->preparing = false;
	if (p->stop_wanted && !p->closing) {
		snprintf(p->end_text, sizeof p->end_text, "was not started: canceled,");
		end(p);
	} else if (p->prepare_err.code != ERR_NONE) {
		cannot_start(p, &p->prepare_err);
	} else if (follow(p), start_process(p, &err) < 0) {
		cannot_start(p, &err);
	} else {
		log_info("run.started", "run=%s attempt=%d", p->run_id, p->attempt);
		move(p, STARTING);
		wait_at_most(p, START_MS);
	}
	if (p->closing)
		maybe_released(p);
}

/* ---- finding again ---- */

static bool adopt_owner(struct run_proc *p, const struct rundir_owner *owner)
{
	struct process_opts opts = { .program = p->opts.program,
				     .on_end = on_process_end,
				     .data = p };
	struct err err = { 0 };
	int pidfd;

	if (rundir_owner_pidfd(&pidfd, owner, &err) < 0 ||
	    process_adopt(&p->process, p->opts.loop, pidfd, &opts, &err) < 0) {
		log_debug("run.owner_gone", "run=%s error=\"%s\"", p->run_id, err.msg);
		return false;
	}
	log_info("run.adopted", "run=%s attempt=%d pid=%d", p->run_id, p->attempt, (int)owner->pid);
	move(p, p->started_line ? RUNNING : STARTING);
	if (p->state == RUNNING)
		watch_overdue(p);
	else
		wait_at_most(p, START_MS);
	on_pause(p); /* what was read while nobody was known to run it */
	if (p->stop_wanted)
		run_proc_cancel(p);
	return true;
}

/*
 * A runner that had been given its specification when the server died may not have its lock yet:
 * before an attempt without any line is given up, it gets the time to take it.
 */
static void seek(struct run_proc *p)
{
	struct rundir_owner owner = { 0 };
	struct err err = { 0 };
	bool locked = false;

	run_follow_read(p->follow);
	if (rundir_is_locked(&locked, &owner, p->opts.data_dir, p->run_id, &err) < 0)
		log_warn("run.lock", "run=%s error=\"%s\"", p->run_id, err.msg);
	if (locked && adopt_owner(p, &owner))
		return;
	if ((!locked && p->started_line) || clock_monotonic_ms() >= p->seek_until_ms) {
		snprintf(p->end_text, sizeof p->end_text, "was gone when the server started,");
		settle(p);
		return;
	}
	wait_at_most(p, SEEK_STEP_MS);
}

/* ---- deadlines ---- */

static void on_deadline(uv_timer_t *timer)
{
	struct run_proc *p = timer->data;

	if (p->closing) {
		maybe_released(p);
	} else if (p->state == PREPARING) {
		cannot_start(p, &p->prepare_err);
	} else if (p->state == SEEKING) {
		seek(p);
	} else if (p->state == STARTING || p->state == RUNNING || p->state == LEAVING) {
		p->late = true;
		stop(p);
	} else if (p->state == STOPPING || p->state == KILLING) {
		kill_process(p);
	}
}

/* ---- life ---- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct run_proc *p = handle->data;

	if (p->closed)
		p->closed(p->closed_data);
	if (p->spec_text)
		explicit_bzero(p->spec_text, strlen(p->spec_text));
	free(p->spec_text);
	free(p->sweep_text);
	free(p->spare_err);
	free(p->run_id);
	free(p);
}

/* What was claimed is handed to its runner before we go: it would cost the run an attempt. */
static void maybe_released(struct run_proc *p)
{
	if (p->preparing || p->sweep || p->timer_gone)
		return;
	if (p->process && process_is_feeding(p->process)) {
		wait_at_most(p, HAND_OVER_MS);
		return;
	}
	p->timer_gone = true;
	run_follow_close(p->follow);
	grant_close(p->grant);
	run_record_close(p->record);
	process_close(p->process);
	uv_close((uv_handle_t *)&p->deadline, on_timer_closed);
}

void run_proc_close(struct run_proc *p, void (*closed)(void *data), void *data)
{
	p->closing = true;
	p->closed = closed;
	p->closed_data = data;
	if (p->sweep)
		helper_cancel(p->sweep); /* the next server finds the run again, and sweeps it */
	maybe_released(p);
}

static struct run_proc *create(const struct run_proc_opts *opts, const struct run *run)
{
	struct run_proc *p = xnew(struct run_proc);
	struct run_record_opts record = {
		.queue = opts->queue,
		.run_id = run->id,
		.attempt = run->attempt,
		.told = on_told,
		.ended = on_ended,
		.data = p,
	};

	*p = (struct run_proc){
		.opts = *opts,
		.run_id = xstrdup(run->id),
		.attempt = run->attempt,
		.stop_wanted = run->cancel_requested,
	};
	uv_timer_init(opts->loop, &p->deadline);
	p->deadline.data = p->prepare.data = p;
	run_record_create(&p->record, opts->loop, &record);
	return p;
}

static char *spec_text(const struct spec *spec)
{
	json_t *json = spec_to_json(spec);
	char *text = json_text(json);

	json_decref(json);
	return text;
}

/* What the sweep needs to know is no secret. */
static void forget_secrets(struct spec *spec)
{
	secret_release(&spec->build.context_token);
	for (size_t i = 0; i < spec->build.args_len; i++)
		secret_release(&spec->build.args[i].secret);
	for (size_t i = 0; i < spec->registries_len; i++)
		secret_release(&spec->registries[i].password);
}

static void take_spec(struct run_proc *p, struct spec *spec)
{
	p->late_at_ms = spec->deadline_ms + p->opts.grace_ms + LATE_MS;
	forget_secrets(spec);
	p->sweep_text = spec_text(spec);
	spec_release(spec);
}

void run_proc_start(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		    struct spec *spec, struct process *spare, const char *spare_err)
{
	struct run_proc *p = create(opts, run);

	p->spec_text = spec_text(spec);
	take_spec(p, spec);
	p->process = spare;
	p->spare_err = spare ? xstrdup(spare_err) : NULL;
	if (spare)
		process_hand_over(spare, on_process_end, p);
	p->state = PREPARING;
	p->preparing = true;
	uv_queue_work(opts->loop, &p->prepare, prepare, on_prepared);
	*out = p;
}

void run_proc_adopt(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		    struct spec *spec)
{
	struct run_proc *p = create(opts, run);

	take_spec(p, spec);
	p->state = SEEKING;
	p->seek_until_ms = clock_monotonic_ms() + SEEK_MS;
	follow(p);
	wait_at_most(p, 0); /* callbacks come from the next turn on */
	*out = p;
}

void run_proc_refuse(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		     const struct err *why)
{
	struct run_proc *p = create(opts, run);

	p->state = PREPARING;
	p->prepare_err = *why;
	wait_at_most(p, 0);
	*out = p;
}

const char *run_proc_run_id(const struct run_proc *p)
{
	return p->run_id;
}

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
 * run_begin.c has the two ways in, this file the rest.
 *
 * The result is the line, not the exit code. A runner without one is swept by its run id before
 * its run is given back to the queue, so that no two runners of a run exist at once.
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "runner/launch/grant.h"
#include "runner/launch/helper.h"
#include "runner/launch/process.h"
#include "runner/launch/run_follow.h"
#include "runner/launch/run_machine.h"
#include "runner/launch/run_record.h"

enum {
	LEAVE_MS = 5000,    /* beyond the grace time: from the result to the end of the process */
	ESCALATE_MS = 5000, /* beyond the grace time: from SIGTERM to SIGKILL */
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

static void on_deadline(uv_timer_t *timer);

void run_wait_at_most(struct run_proc *p, int64_t ms)
{
	uv_timer_start(&p->deadline, on_deadline, (uint64_t)(ms > 0 ? ms : 0), 0);
}

void run_move(struct run_proc *p, enum state to)
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

void run_on_ended(bool terminal, void *data)
{
	struct run_proc *p = data;

	run_move(p, DONE);
	p->opts.on_progress(p->run_id, terminal, p->opts.data);
	p->opts.on_end(p, p->opts.data);
}

void run_end(struct run_proc *p)
{
	struct err late = { 0 };
	char why[160];

	run_move(p, ENDING);
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
		run_release_when_idle(p);
	else
		run_end(p);
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

	run_move(p, SWEEPING);
	p->sweep_text = NULL;
	if (opts.text && helper_start(&p->sweep, p->opts.loop, &opts, &err) == 0)
		return;
	log_warn("run.sweep_failed", "run=%s error=\"%s\"", p->run_id,
		 opts.text ? err.msg : "no specification");
	run_end(p);
}

/* The process is gone, or there never was one: what do the last lines say? */
void run_settle(struct run_proc *p)
{
	run_follow_read(p->follow);
	if (p->result_line && !p->killed)
		run_end(p);
	else
		sweep(p);
}

void run_on_process_end(int status, void *data)
{
	struct run_proc *p = data;

	process_end_text(p->end_text, sizeof p->end_text, status);
	process_close(p->process);
	p->process = NULL;
	if (p->state != PREPARING) /* else a spare died before it had its run: another is started */
		run_settle(p);
}

/* ---- stopping ---- */

static void stop(struct run_proc *p)
{
	log_info("run.stop", "run=%s attempt=%d%s", p->run_id, p->attempt,
		 p->stop_wanted ? "" : " reason=late");
	run_move(p, STOPPING);
	process_signal(p->process, SIGTERM);
	run_wait_at_most(p, p->opts.grace_ms + ESCALATE_MS);
}

static void kill_process(struct run_proc *p)
{
	log_warn("run.kill", "run=%s attempt=%d", p->run_id, p->attempt);
	if (p->state != KILLING)
		run_move(p, KILLING);
	p->killed = true;
	process_signal(p->process, SIGKILL);
	/* A process in the kernel may take its time: again, until it goes. */
	run_wait_at_most(p, KILL_MS);
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

void run_wait_for_end(struct run_proc *p)
{
	run_wait_at_most(p, p->late_at_ms - clock_now_ms());
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

void run_on_pause(void *data)
{
	struct run_proc *p = data;

	if (p->state == STARTING && p->started_line) {
		run_move(p, RUNNING);
		run_wait_for_end(p);
	}
	if (has_process(p) && !p->result_line)
		run_record_tell(p->record);
	if (p->state == RUNNING && p->result_line) {
		run_move(p, LEAVING);
		run_wait_at_most(p, p->opts.grace_ms + LEAVE_MS);
	}
}

static void on_log(void *data)
{
	struct run_proc *p = data;
	p->opts.on_progress(p->run_id, false, p->opts.data);
}

void run_on_told(bool applied, void *data)
{
	struct run_proc *p = data;

	if (!applied && has_process(p))
		run_proc_cancel(p); /* the run is not this attempt's any more */
	p->opts.on_progress(p->run_id, false, p->opts.data);
}

void run_watch_report(struct run_proc *p)
{
	struct run_follow_opts opts = {
		.data_dir = p->opts.data_dir,
		.run_id = p->run_id,
		.on_line = on_line,
		.on_pause = run_on_pause,
		.on_log = on_log,
		.data = p,
	};

	run_follow_start(&p->follow, p->opts.loop, &opts);
}

/* ---- deadlines ---- */

static void on_deadline(uv_timer_t *timer)
{
	struct run_proc *p = timer->data;

	if (p->closing) {
		run_release_when_idle(p);
	} else if (p->state == PREPARING) {
		run_cannot_start(p, &p->prepare_err);
	} else if (p->state == SEEKING) {
		run_seek(p);
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
void run_release_when_idle(struct run_proc *p)
{
	if (p->preparing || p->sweep || p->timer_gone)
		return;
	if (p->process && process_is_feeding(p->process)) {
		run_wait_at_most(p, HAND_OVER_MS);
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
	run_release_when_idle(p);
}

const char *run_proc_run_id(const struct run_proc *p)
{
	return p->run_id;
}

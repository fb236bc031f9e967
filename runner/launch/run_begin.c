/*
 * How a run comes under way: claimed, and its runner is started; or found in the database, and its
 * runner is looked for.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "runner/contract/rundir.h"
#include "runner/launch/process.h"
#include "runner/launch/run_follow.h"
#include "runner/launch/run_machine.h"
#include "runner/launch/run_record.h"

enum {
	START_MS = 60000,   /* from the specification to "started" */
	LATE_MS = 30000,    /* beyond deadline and grace: it does not end by itself */
	SEEK_MS = 2000,     /* a runner that has its specification takes its lock in this time */
	SEEK_STEP_MS = 100, /* between two looks */
};

/* ---- starting ---- */

static int start_process(struct run_proc *p, struct err *err)
{
	char *err_path = rundir_path(p->opts.data_dir, p->run_id, "runner.err");
	struct process_opts opts = {
		.program = p->opts.program,
		.err_path = err_path,
		.on_end = run_on_process_end,
		.data = p,
	};
	int rc = 0;

	if (p->process)
		process_hand_over(p->process, run_on_process_end, p);
	else
		rc = process_start(&p->process, p->opts.loop, &opts, err);
	free(err_path);
	if (rc < 0)
		return -1;
	process_feed(p->process, p->spec_text, strlen(p->spec_text));
	p->spec_text = NULL;
	return 0;
}

void run_cannot_start(struct run_proc *p, const struct err *err)
{
	log_error("run.cannot_start", "run=%s error=\"%s\"", p->run_id, err->msg);
	run_move(p, ENDING);
	if (err_is(err, "runner_lost")) /* it may go better next time */
		run_record_lose(p->record, err->msg);
	else
		run_record_finish(p->record, err);
}

static void prepare(uv_work_t *work)
{
	struct run_proc *p = work->data;

	if (rundir_create(p->opts.data_dir, p->run_id, &p->prepare_err) < 0 || !p->spare_err)
		return;
	char *to = rundir_path(p->opts.data_dir, p->run_id, "runner.err");
	/* For whoever looks into a crash: no run fails for the want of it. */
	rename(p->spare_err, to);
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
		run_end(p);
	} else if (p->prepare_err.code != ERR_NONE) {
		run_cannot_start(p, &p->prepare_err);
	} else if (run_watch_report(p), start_process(p, &err) < 0) {
		run_cannot_start(p, &err);
	} else {
		log_info("run.started", "run=%s attempt=%d", p->run_id, p->attempt);
		run_move(p, STARTING);
		run_wait_at_most(p, START_MS);
	}
	if (p->closing)
		run_release_when_idle(p);
}

/* ---- finding again ---- */

static bool adopt_owner(struct run_proc *p, const struct rundir_owner *owner)
{
	struct process_opts opts = { .program = p->opts.program,
				     .on_end = run_on_process_end,
				     .data = p };
	struct err err = { 0 };
	int pidfd;

	if (rundir_owner_pidfd(&pidfd, owner, &err) < 0 ||
	    process_adopt(&p->process, p->opts.loop, pidfd, &opts, &err) < 0) {
		log_debug("run.owner_gone", "run=%s error=\"%s\"", p->run_id, err.msg);
		return false;
	}
	log_info("run.adopted", "run=%s attempt=%d pid=%d", p->run_id, p->attempt, (int)owner->pid);
	run_move(p, p->started_line ? RUNNING : STARTING);
	if (p->state == RUNNING)
		run_wait_for_end(p);
	else
		run_wait_at_most(p, START_MS);
	run_on_pause(p); /* what was read while nobody was known to run it */
	if (p->stop_wanted)
		run_proc_cancel(p);
	return true;
}

/*
 * A runner that had been given its specification when the server died may not have its lock yet:
 * before an attempt without any line is given up, it gets the time to take it.
 */
void run_seek(struct run_proc *p)
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
		run_settle(p);
		return;
	}
	run_wait_at_most(p, SEEK_STEP_MS);
}

/* ---- the ways in ---- */

static struct run_proc *create(const struct run_proc_opts *opts, const struct run *run)
{
	struct run_proc *p = xnew(struct run_proc);
	struct run_record_opts record = {
		.queue = opts->queue,
		.run_id = run->id,
		.attempt = run->attempt,
		.told = run_on_told,
		.ended = run_on_ended,
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
	for (size_t i = 0; i < spec->git_credentials_len; i++)
		secret_release(&spec->git_credentials[i].token);
}

static void take_spec(struct run_proc *p, struct spec *spec)
{
	p->late_at_ms = spec->deadline_ms + p->opts.grace_ms + LATE_MS;
	forget_secrets(spec);
	p->sweep_text = spec_text(spec);
	spec_release(spec);
}

void run_proc_start(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		    struct spec *spec, struct process *spare, char *spare_err)
{
	struct run_proc *p = create(opts, run);

	p->spec_text = spec_text(spec);
	take_spec(p, spec);
	p->process = spare;
	p->spare_err = spare_err;
	if (spare)
		process_hand_over(spare, run_on_process_end, p);
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
	run_watch_report(p);
	run_wait_at_most(p, 0); /* callbacks come from the next turn on */
	*out = p;
}

void run_proc_refuse(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		     const struct err *why)
{
	struct run_proc *p = create(opts, run);

	p->state = PREPARING;
	p->prepare_err = *why;
	run_wait_at_most(p, 0);
	*out = p;
}

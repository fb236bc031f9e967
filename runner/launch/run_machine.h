/*
 * run_machine: what the files of run_proc share: the states, the struct, and the steps that both
 * the beginning of a run (run_begin.c) and its further life (run_proc.c) take. The drawing is in
 * run_proc.c.
 */
#pragma once
#include <uv.h>

#include "runner/launch/run_proc.h"

struct grant;
struct helper;
struct run_follow;
struct run_record;

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

	struct process *process; /* from STARTING to KILLING; while PREPARING a spare */
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

/* Along an arrow of the table; the deadline of the old state is off. */
void run_move(struct run_proc *p, enum state to);
/* The deadline of the state that it is in. */
void run_wait_at_most(struct run_proc *p, int64_t ms);
/* The deadline of RUNNING: the run's own, and some time to end by itself. */
void run_wait_for_end(struct run_proc *p);

void run_watch_report(struct run_proc *p);
/* Everything that the report says for now has been taken in. */
void run_on_pause(void *data);
void run_on_told(bool applied, void *data);
void run_on_ended(bool terminal, void *data);
void run_on_process_end(int status, void *data);

/* There is no process (any more): what do the last lines say? */
void run_settle(struct run_proc *p);
/* Tell the queue. */
void run_end(struct run_proc *p);
void run_release_when_idle(struct run_proc *p);

/* run_begin.c */
void run_cannot_start(struct run_proc *p, const struct err *err);
void run_seek(struct run_proc *p);

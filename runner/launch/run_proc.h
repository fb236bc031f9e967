/*
 * run_proc: the server's hold on one run that is under way: its runner (started by us or found
 * alive), its report, and its end.
 *
 * Calling sequence:
 *   1. run_proc_start() for a run that was just claimed, or run_proc_adopt() for one that an
 *      earlier server claimed;
 *   2. run_proc_cancel() at any time;
 *   3. on_end() once, after the queue has recorded what became of the run (ended, or queued again);
 *   4. run_proc_close(), from on_end() or earlier: at shutdown what runs goes on without us.
 *
 * Loop thread only; nothing blocks.
 */
#pragma once
#include "queue/queue.h"
#include "runner/contract/spec.h"

struct uv_loop_s;
struct process;
struct run_proc;

struct run_proc_opts {
	struct uv_loop_s *loop;
	struct queue *queue;
	const char *program; /* borrowed while the run_proc lives, like data_dir */
	const char *data_dir;
	int64_t grace_ms;
	void (*on_progress)(const char *run_id, bool ended, void *data);
	void (*on_end)(struct run_proc *p, void *data);
	void *data;
};

/*
 * Start the runner of a claimed run. `run` is borrowed for the call; contents of *spec are taken.
 * `spare` (or NULL) becomes ours, with the name of the file that it writes to. Failures are not
 * the caller's matter: they end the run.
 */
void run_proc_start(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		    struct spec *spec, struct process *spare, char *spare_err);
/* Find the runner of a run that was under way, or what became of it. *spec serves the sweep. */
void run_proc_adopt(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		    struct spec *spec);
/* End a claimed run that cannot be started, for this reason. */
void run_proc_refuse(struct run_proc **out, const struct run_proc_opts *opts, const struct run *run,
		     const struct err *why);

/* Ask the runner to stop: SIGTERM, after grace + 5 s SIGKILL and a sweep. Harmless when repeated.
 */
void run_proc_cancel(struct run_proc *p);
const char *run_proc_run_id(const struct run_proc *p);
/* `closed` (or NULL) is called when nothing of it is left. */
void run_proc_close(struct run_proc *p, void (*closed)(void *data), void *data);

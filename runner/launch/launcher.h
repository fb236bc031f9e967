/*
 * launcher: the server's hold on its runners: claims runs while there are free places, starts a
 * runner for each (a loaded spare one waits for its specification), follows their reports, and
 * finds runners again that an earlier server started.
 *
 *            claim            started line           result line and exit
 *   (queue) ──────► STARTING ─────────► RUNNING ───────────────────► (queue: finish)
 *                       │                  │ exit without a result
 *                       └──────────────────┴──► sweep ──► (queue: lost)
 *
 * A server that has just started does exactly what a server that never stopped does: it reads the
 * report from its beginning and follows the process by pidfd. Loop thread only; nothing blocks.
 */
#pragma once
#include <stdbool.h>

#include "queue/queue.h"
#include "runner/contract/spec.h"

struct launcher;

struct launcher_opts {
	const char *runner_path; /* the program */
	const char *data_dir;
	int max_running;
	int64_t grace_ms;
	/* Fill a specification for this claimed run from the configuration; the run's build is
	 * taken over. */
	int (*specify)(struct spec *out, const struct run *run, void *data, struct err *err);
	/* The log or the record of a run has grown, or it has ended: for followers. */
	void (*on_progress)(const char *run_id, bool ended, void *data);
	void *data;
};

int launcher_create(struct launcher **out, struct uv_loop_s *loop, struct queue *q,
		    const struct launcher_opts *opts, struct err *err);
/* Find runs again that were under way (then claim). Call once, after queue_open(). */
void launcher_recover(struct launcher *l);
/* Something may be ready: claim while there are free places. */
void launcher_kick(struct launcher *l);
/* Tell the runner of this run to stop (SIGTERM, after comparing start times); escalates by itself.
 */
void launcher_cancel(struct launcher *l, const char *run_id);
/* A new configuration: runs that are under way keep the grace time that they began with. */
void launcher_configure(struct launcher *l, int max_running, int64_t grace_ms);
/* Stop claiming; what runs goes on without us. */
void launcher_drain(struct launcher *l);
void launcher_close(struct launcher *l, void (*closed)(void *data), void *data);
int launcher_running(const struct launcher *l);

typedef void (*launcher_probe_cb)(const char *json_lines, const struct err *err, void *data);
/* Run `slipway-runner probe` with this engine and these registries (check-health). One at a time;
 * a second caller gets the same answer. */
void launcher_probe(struct launcher *l, const struct spec *spec, launcher_probe_cb cb, void *data);

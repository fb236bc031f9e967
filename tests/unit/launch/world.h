/*
 * world: a queue and a launcher in a temporary folder, with tests/lib/fake_runner.py as the
 * runner, and the words that a test of them is written in. A world_ function that waits fails the
 * test after 20 s.
 */
#pragma once
#include <uv.h>

#include "queue/queue.h"
#include "runner/launch/launcher.h"
#include "tests/unit/unit.h"

struct world {
	uv_loop_t loop;
	const char *dir;
	struct queue *queue;
	struct launcher *launcher;
	int max_running;
	int64_t grace_ms;
	int progress; /* how often on_progress() came */
	int news;     /* changes of runs */
};

struct world *world_open(const char *dir, int max_running);
void world_close(struct world *w);
/* Close the launcher and the queue, and open them again: runners go on meanwhile. */
void world_restart(struct world *w);

/* Queue a run whose runner does what `script` says; its id is put into `id`. */
void world_submit(struct world *w, char id[RUN_ID_BYTES], const char *script);
void world_wait_status(struct world *w, const char *id, enum run_status status);
/* Until the file exists in the data folder. */
void world_wait_file(struct world *w, const char *name);
void world_touch(struct world *w, const char *name);
void world_cancel(struct world *w, const char *id);
/* Let the loop turn for this long: for showing that something does not happen. */
void world_idle(struct world *w, int ms);

/* The row: released by run_release(). */
void world_get(struct world *w, const char *id, struct run *out);
bool world_has_file(struct world *w, const char *name);
/* Contents of a file of the data folder, "" when there is none. Owned by the caller. */
char *world_read(struct world *w, const char *name);

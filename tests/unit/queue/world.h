/*
 * world: a queue on a real file and a real loop, with each call made to wait for its answer, so
 * that a test reads from top to bottom.
 *
 *   struct world *w = *state;                       world_setup, world_teardown
 *   push(w, "d1", "A", "B");                        delivery d1: main moved from A to B
 *   assert_string_equal(w->answer.runs.items[0], "ca1");
 *
 * What the last call answered is in w->answer; what the callbacks said is in w->news.
 */
#pragma once
#include <uv.h>

#include "tests/unit/folder.h"

#include "queue/queue.h"

struct answer {
	bool failed;
	struct err err;
	enum accept_outcome outcome;
	bool applied;
	bool more;
	bool found;           /* a run, a task */
	struct strvec runs;   /* ids: of the delivery, of the listing, or of the one run */
	struct strvec names;  /* of tasks or deliveries */
	struct strvec texts;  /* reasons of verdicts, or outcomes of cancels */
	struct strvec others; /* run ids in the verdicts, "-" where there is none */
	/* of the one run */
	enum run_status status;
	int attempt;
	int64_t seq;
	bool archived;
	char *error_code, *error_message, *secret, *commit, *context, *platform;
	size_t steps, images;
};

struct world {
	uv_loop_t loop;
	char *folder, *path;
	unsigned char key[SEAL_KEY_BYTES];
	int max_attempts;
	struct queue *queue;
	int waiting; /* answers that are due */
	struct answer answer;
	struct strvec news; /* "ca1 Queued", "cancel ca1", "ready" */
};

int world_setup(void **state);
int world_teardown(void **state);
struct world *world_create(const char *folder); /* not open yet */
int world_open(struct world *w, struct err *err);
void world_close(struct world *w);
void world_reopen(struct world *w);
void world_destroy(struct world *w);
void world_wait(struct world *w); /* until w->waiting is 0 */
void answer_clear(struct answer *a);
void answer_begin(struct world *w); /* before a call: its answer is due */
void answer_came(struct world *w, const struct err *err);

/* ---- deliveries ---- */
/* An event of github.com/acme/app; runs in registry "main" of task "web" (or none). */
struct happening {
	const char *id, *body; /* body NULL: as id */
	const char *webhook;   /* NULL: "github" */
	const char *ref;       /* NULL: refs/heads/main */
	const char *before, *after;
	const char *name;      /* NULL: "push" */
	const char *task;      /* NULL: "web" */
	const char *order_key; /* NULL: by task and ref; "": none */
	const char *secret;    /* of a build argument */
	bool unmatched;        /* a verdict, but no run */
};
void make_delivery(struct delivery *d, struct run *run, const struct happening *h);
void accept_answered(enum accept_outcome outcome, const struct delivery *stored,
		     const struct err *err, void *data); /* for queue_accept(), data a world */
void receive_async(struct world *w, const struct happening *h); /* w->waiting counts it */
void receive(struct world *w, struct happening h);
void push(struct world *w, const char *id, const char *before, const char *after);

/* ---- tasks ---- */
void put_task(struct world *w, struct task *task); /* its name in w->answer.names */
void delete_task(struct world *w, const char *registry, const char *name);

/* ---- runs ---- */
void submit(struct world *w, const char *order_key);
void submit_run(struct world *w, struct run *run);
void fill(struct world *w, int runs, const char *order_key); /* all at once */
/* Its id in w->answer.runs, or none; a borrowed copy is returned, NULL when nothing is ready. */
const char *claim(struct world *w);
bool progress(struct world *w, const char *id, int attempt, const struct run *record);
bool grant(struct world *w, const char *id, int attempt);
bool finish(struct world *w, const char *id, int attempt, enum run_status status);
bool finish_with(struct world *w, const char *id, int attempt, const struct run *result);
void lost(struct world *w, const char *id, int attempt, const char *why);
enum cancel_outcome cancel(struct world *w, const char *id);
void cancel_ids(struct world *w, const char *const *batch, size_t len);
void cancel_all(struct world *w, const char *filter, bool dry_run);
void get(struct world *w, const char *id);
enum run_status status_of(struct world *w, const char *id);
void list(struct world *w, const char *filter, int64_t before_seq, size_t top);
void list_unfinished(struct world *w);
void list_deliveries(struct world *w, const char *id); /* NULL: the newest 50 */
void archive(struct world *w, const char *id, bool archived);
void collect(struct world *w, int64_t runs_before_ms, int64_t deliveries_before_ms);
/* The ids of the last answer, "ca2 ca1". Valid until the next call. */
const char *ids(struct world *w);
/* News since the last call of this, "ca1 Queued,ready". */
const char *news(struct world *w);

/* One number from a connection of the test's own. */
int64_t sql_number(struct world *w, const char *sql);
char *sql_text(struct world *w, const char *sql);
char *sql_plan(struct world *w, const char *explain);
void sql_run(struct world *w, const char *sql);

/*
 * queue: deliveries, runs and tasks as durable facts. Every change is a compare-and-set in the
 * writer's transaction; an answer comes only after the commit. Loop thread only; nothing blocks.
 *
 * Results in callbacks are borrowed for the call; `err` is NULL on success. `data` is the caller's.
 * A runner's owner addresses a run by (id, attempt): a change whose attempt is not the row's any
 * more, or whose status does not allow it, is refused (applied = false) and changes nothing.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "model/delivery.h"
#include "model/filter.h"
#include "model/run.h"
#include "model/task.h"

struct uv_loop_s;
struct queue;

struct queue_opts {
	const char *database;     /* absolute path */
	const unsigned char *key; /* SEAL_KEY_BYTES, for secrets at rest; copied */
	const char *const
		*registries; /* names in configured order; each keeps its two letters for ever */
	size_t registries_len;
	int max_attempts;
	/* Runs may have become ready to be claimed. Not called for those that queue_open() found:
	 * claim once at the start. */
	void (*on_ready)(void *data);
	/* A run was created or changed: for followers and metrics. `status` is the new one. */
	void (*on_run)(const char *run_id, enum run_status status, void *data);
	/* A running run was asked to stop: tell its runner. */
	void (*on_cancel)(const char *run_id, void *data);
	void *data;
};

/*
 * Blocks for as long as opening, migrating and loading the tasks take. Words: those of
 * store_open(); "secret_key" when the secrets of a task were sealed with another key.
 */
int queue_open(struct queue **out, struct uv_loop_s *loop, const struct queue_opts *opts,
	       struct err *err);
/* Finishes what was asked, then closes; what is asked meanwhile is answered ERR_UNAVAILABLE. */
void queue_close(struct queue *q, void (*closed)(void *data), void *data);

/* ---- accepting ---- */
enum accept_outcome {
	ACCEPT_NEW,   /* committed now */
	ACCEPT_KNOWN, /* this delivery (same id, or the same body on this webhook) was there already
		       */
};

typedef void (*queue_accept_cb)(enum accept_outcome outcome, const struct delivery *stored,
				const struct err *err, void *data);
/*
 * One transaction: the delivery and a run for each entry of `wanted`. Contents of both are taken
 * (moved); wanted[i] belongs to the i-th verdict that matched. An event that repeats
 * the latest accepted one of its (task, repository, ref) with equal (before, after, event name)
 * makes no new run: its verdict names the run that it repeats and says so. A later event of the
 * ref that made no run (a deletion) ends that: the same move is news again afterwards.
 * Known id with another body: ERR_CONFLICT "delivery_conflict". Not committed: ERR_UNAVAILABLE
 * "storage".
 */
void queue_accept(struct queue *q, struct delivery *delivery, struct run *wanted, size_t wanted_len,
		  queue_accept_cb cb, void *data);

/*
 * The same for a delivery that an operator wants again: its runs are made although its events were
 * seen. `delivery` has an id and a body_sha256 of its own, and replay_of. A repeated event that
 * is still the latest of its ref names the new run from then on; nothing else that is known of refs
 * changes.
 */
void queue_replay(struct queue *q, struct delivery *delivery, struct run *wanted, size_t wanted_len,
		  queue_accept_cb cb, void *data);

typedef void (*queue_preview_cb)(const struct delivery *judged, const struct delivery *known,
				 const struct err *err, void *data);
/*
 * What queue_accept() would say, changing nothing. `judged` is the delivery (contents are taken),
 * where verdicts whose event repeats another one name its run and say so; `known` is the same
 * delivery as it came before, or NULL. "delivery_conflict" as there; `judged` is given also with
 * an error.
 */
void queue_preview(struct queue *q, struct delivery *delivery, queue_preview_cb cb, void *data);

typedef void (*queue_run_cb)(const struct run *run, const struct err *err, void *data);
/* A manual run; contents of *run are taken. The callback's run has its id. */
void queue_submit(struct queue *q, struct run *run, queue_run_cb cb, void *data);

/* ---- a run's life, for the launcher ---- */
/*
 * The oldest queued run none of whose elders with the same order_key is unfinished: Queued to
 * Started, attempt + 1. The run in the callback carries its secrets; NULL when nothing is ready.
 */
void queue_claim(struct queue *q, queue_run_cb cb, void *data);

typedef void (*queue_applied_cb)(bool applied, const struct err *err, void *data);
/* Started to Running; also records steps, images and commit of *progress (its status is not looked
 * at). */
void queue_progress(struct queue *q, const char *id, int attempt, const struct run *progress,
		    queue_applied_cb cb, void *data);
/* May this attempt push? applied = false when the run was canceled or is not this attempt's any
 * more. */
void queue_grant_push(struct queue *q, const char *id, int attempt, queue_applied_cb cb,
		      void *data);
/* To a terminal status, with error_code, error_message, steps, images and commit of *result. */
void queue_finish(struct queue *q, const char *id, int attempt, const struct run *result,
		  queue_applied_cb cb, void *data);
/*
 * The runner died without a result: Queued again, or Canceled when that was asked, or Error
 * ("runner_lost") after the last attempt or when something was pushed. cb's run is the row after
 * it.
 */
void queue_lost(struct queue *q, const char *id, int attempt, const char *why, queue_run_cb cb,
		void *data);

typedef void (*queue_runs_cb)(const struct run *runs, size_t len, bool more, const struct err *err,
			      void *data);
/* Started and Running runs, for finding their runners again after a start. */
void queue_unfinished(struct queue *q, queue_runs_cb cb, void *data);

/* ---- controls ---- */
enum cancel_outcome {
	CANCEL_DONE,     /* it was queued and is Canceled now */
	CANCEL_ACCEPTED, /* it runs; its runner was told (also when that had been asked before) */
	CANCEL_ALREADY,  /* it was Canceled before */
	CANCEL_ENDED,    /* it had ended otherwise: nothing changed */
	CANCEL_UNKNOWN,  /* no such run in this registry */
};
struct cancel_result {
	char run_id[RUN_ID_BYTES];
	enum cancel_outcome outcome;
	enum run_status status; /* of the row now */
};
typedef void (*queue_cancel_cb)(const struct cancel_result *results, size_t len,
				const struct err *err, void *data);
/* One transaction. Duplicate ids give one result. More than 1,000: ERR_LIMIT "too_many". */
void queue_cancel(struct queue *q, const char *registry, const char *const *ids, size_t len,
		  queue_cancel_cb cb, void *data);
/* All unfinished runs that the filter (or NULL) selects, the newest first; with dry_run nothing
 * changes. At most 1,000 a call. */
void queue_cancel_matching(struct queue *q, const char *registry, const struct filter *filter,
			   bool dry_run, queue_cancel_cb cb, void *data);
void queue_set_archived(struct queue *q, const char *registry, const char *id, bool archived,
			queue_run_cb cb, void *data);

/* ---- looking ---- */
void queue_get_run(struct queue *q, const char *registry, const char *id, queue_run_cb cb,
		   void *data); /* ERR_NOTFOUND */
/*
 * Newest first, at most `top`, older than `before_seq` (0: from the newest). Keyset: no OFFSET, no
 * count. `filter` is borrowed for the call. Of a run's build only the platform is there.
 */
void queue_list_runs(struct queue *q, const char *registry, const struct filter *filter,
		     int64_t before_seq, size_t top, queue_runs_cb cb, void *data);

typedef void (*queue_deliveries_cb)(const struct delivery *deliveries, size_t len,
				    const struct err *err, void *data);
void queue_list_deliveries(struct queue *q, size_t top, queue_deliveries_cb cb,
			   void *data); /* newest first */
void queue_get_delivery(struct queue *q, const char *delivery_id, queue_deliveries_cb cb,
			void *data);

/* Runs by status, and the age of the oldest queued one: for /metrics and /readyz. */
struct queue_counts {
	int64_t runs[RUN_STATUSES]; /* unfinished ones exactly; terminal ones since the server's
				       start */
	int64_t oldest_queued_ms;   /* create time, 0 when none */
};
const struct queue_counts *queue_counts(const struct queue *q);

/* ---- tasks ---- */
/* All tasks are held in memory as well (loaded by queue_open, changed after the commit), so that
 * matching a delivery needs no query. */
const struct task *queue_task(const struct queue *q, const char *registry,
			      const char *name); /* or NULL; borrowed until the next turn */
size_t queue_tasks(const struct queue *q, const char *registry,
		   const struct task *const **out); /* by name; NULL: all */
/* Tasks that have a source trigger on this repository identity. Borrowed until the next turn. */
size_t queue_tasks_of_repository(const struct queue *q, const char *repository,
				 const struct task *const **out);

typedef void (*queue_task_cb)(const struct task *task, const struct err *err, void *data);
/* Create or replace (created_ms is kept); contents of *task are taken. */
void queue_put_task(struct queue *q, struct task *task, queue_task_cb cb, void *data);
/* task == NULL: there was none. Its runs stay. */
void queue_delete_task(struct queue *q, const char *registry, const char *name, queue_task_cb cb,
		       void *data);

/* ---- retention ---- */
typedef void (*queue_ids_cb)(const char *const *ids, size_t len, const struct err *err, void *data);
/*
 * Forget up to 500 terminal, not archived runs that finished before `runs_before_ms`, and
 * deliveries received before `deliveries_before_ms`. The ids are of the runs whose directories may
 * go.
 */
void queue_collect(struct queue *q, int64_t runs_before_ms, int64_t deliveries_before_ms,
		   queue_ids_cb cb, void *data);

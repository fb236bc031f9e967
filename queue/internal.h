/*
 * internal: what the files of queue/ share. One file an operation; each operation is a struct that
 * begins with `struct op` and has three functions:
 *
 *   queue_<verb>()   loop: copies what it was given, submits the op
 *   work             lane: the transaction; may read q->key and q->max_attempts, nothing else of q
 *   done             loop, after the commit: op_publish(), the caller's callback, release
 */
#pragma once
#include "common/clock.h"
#include "queue/changes.h"
#include "queue/queue.h"
#include "queue/task_index.h"
#include "store/run_rows.h"
#include "store/store.h"

struct queue {
	struct store *store;
	unsigned char key[SEAL_KEY_BYTES];
	int max_attempts;
	struct queue_opts opts; /* for the callbacks only: its pointers are the opener's */
	struct strvec registries;
	struct queue_counts counts;
	struct task_index tasks;
	void (*closed)(void *data);
	void *closed_data;
};

struct op {
	struct store_req req; /* first: a lane hands this back */
	struct queue *q;
	struct changes changes;
	int64_t now_ms;
	void *data; /* the caller's */
};

typedef int (*op_work)(struct store_db *db, struct store_req *req, struct err *err);
typedef void (*op_done)(struct store_req *req);

void op_write(struct op *op, struct queue *q, op_work work, op_done done, void *data);
void op_read(struct op *op, struct queue *q, op_work work, op_done done, void *data);
/* What the callback gets: NULL when the op did its work. */
const struct err *op_err(const struct op *op);
/*
 * Once the changes are on disk: count them and tell the followers. op_end(), after the caller's
 * callback, says that runs may be ready and frees the op.
 */
void op_publish(struct op *op);
void op_end(struct op *op);

/* Part of a transaction: give the run its id, seal its secrets, put it into the queue. */
int op_create_run(struct op *op, struct store_db *db, struct run_draft *draft, struct err *err);

bool queue_knows_registry(const struct queue *q, const char *name);

/* ---- what accepting asks, and a preview too: both only read ---- */
/* 1: known, by its id or its body, in *known. 0: new. Word "delivery_conflict". */
int accept_find_known(struct store_db *db, const struct delivery *d, struct delivery *known,
		      struct err *err);
/* 1: the verdict's event repeats the latest one of its ref, which started *run_id (the caller's).
 */
int accept_find_repeated(struct store_db *db, const struct delivery *d, const struct verdict *v,
			 char **run_id, struct err *err);

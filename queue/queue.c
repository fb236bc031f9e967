#include "queue/queue.h"

#include "queue/internal.h"
#include "queue/secrets.h"
#include "store/registry_rows.h"
#include "store/run_list.h"
#include "store/task_rows.h"

/* ---- operations ---- */

void op_write(struct op *op, struct queue *q, op_work work, op_done done, void *data)
{
	op->req.work = work;
	op->req.done = done;
	op->q = q;
	op->data = data;
	op->now_ms = clock_now_ms();
	store_write(q->store, &op->req);
}

void op_read(struct op *op, struct queue *q, op_work work, op_done done, void *data)
{
	op->req.work = work;
	op->req.done = done;
	op->q = q;
	op->data = data;
	op->now_ms = clock_now_ms();
	store_read(q->store, &op->req);
}

const struct err *op_err(const struct op *op)
{
	return op->req.rc < 0 ? &op->req.err : NULL;
}

void op_publish(struct op *op)
{
	const struct queue_opts *opts = &op->q->opts;

	if (op->req.rc < 0)
		changes_release(&op->changes); /* they did not happen */
	changes_count(&op->changes, &op->q->counts, op->now_ms);
	for (size_t i = 0; i < op->changes.len; i++) {
		const struct change *c = &op->changes.items[i];
		if (opts->on_run)
			opts->on_run(c->run_id, c->to, opts->data);
		if (c->cancel_asked && opts->on_cancel)
			opts->on_cancel(c->run_id, opts->data);
	}
}

void op_end(struct op *op)
{
	const struct queue_opts *opts = &op->q->opts;
	bool ready = op->changes.ready;

	changes_release(&op->changes);
	free(op);
	if (ready && opts->on_ready)
		opts->on_ready(opts->data);
}

/* ---- opening ---- */

static int load_task(struct task *task, struct str sealed, void *data, struct err *err)
{
	struct queue *q = data;

	/* A registry that is no longer configured keeps its tasks, but they start nothing. */
	if (!queue_knows_registry(q, task->registry))
		return 0;
	if (secrets_open_task(task, q->key, sealed, err) < 0)
		return -1;
	task_index_put(&q->tasks, task);
	return 0;
}

static int load(struct store_db *db, struct store_req *req, struct err *err)
{
	struct queue *q = ((struct op *)req)->q;

	STRVEC_FOREACH (name, &q->registries)
		if (registry_ensure(db, *name, err) < 0)
			return -1;
	if (task_each(db, load_task, q, err) < 0 ||
	    run_count_unfinished(db, q->counts.runs, err) < 0)
		return -1;
	return run_oldest_queued(db, &q->counts.oldest_queued_ms, err);
}

static void release(struct queue *q)
{
	task_index_release(&q->tasks);
	strvec_release(&q->registries);
	explicit_bzero(q->key, sizeof q->key);
	free(q);
}

int queue_open(struct queue **out, struct uv_loop_s *loop, const struct queue_opts *opts,
	       struct err *err)
{
	struct queue *q = xnew(struct queue);
	struct op op = { .req.work = load, .q = q };

	*q = (struct queue){ .opts = *opts, .max_attempts = opts->max_attempts };
	memcpy(q->key, opts->key, sizeof q->key);
	for (size_t i = 0; i < opts->registries_len; i++)
		strvec_push(&q->registries, opts->registries[i]);
	json_object_seed(0); /* now, because the lanes would race for it */
	if (store_open(&q->store, loop, opts->database, err) < 0) {
		release(q);
		return -1;
	}
	if (store_now(q->store, &op.req, err) < 0) {
		queue_close(q, NULL, NULL);
		return -1;
	}
	*out = q;
	return 0;
}

static void on_closed(void *data)
{
	struct queue *q = data;
	void (*closed)(void *data) = q->closed;
	void *closed_data = q->closed_data;

	release(q);
	if (closed)
		closed(closed_data);
}

void queue_close(struct queue *q, void (*closed)(void *data), void *data)
{
	q->closed = closed;
	q->closed_data = data;
	store_close(q->store, on_closed, q);
}

/* ---- what is in memory ---- */

bool queue_knows_registry(const struct queue *q, const char *name)
{
	STRVEC_FOREACH (known, &q->registries)
		if (str_is_i(str_from(*known), name))
			return true;
	return false;
}

const struct queue_counts *queue_counts(const struct queue *q)
{
	return &q->counts;
}

/*
 * lost: a runner ended without a result.
 *
 *   a cancel was asked ──────────────────────────► Canceled
 *   something was pushed, or the last attempt ───► Error (runner_lost)
 *   else ────────────────────────────────────────► Queued, to be claimed as the next attempt
 */
#include "queue/internal.h"
#include "store/run_moves.h"
#include "store/run_rows.h"

struct lost {
	struct op op;
	char id[RUN_ID_BYTES];
	int attempt;
	char *why;
	struct run run; /* the row afterwards */
	queue_run_cb cb;
};

static int end(struct store_db *db, struct lost *l, const struct run_state *state,
	       enum run_status status, const char *word, const char *tail, struct err *err)
{
	char *message = xasprintf("%s%s", l->why, tail);
	int rc = run_move_end(db, state, status, word, message, l->op.now_ms, err);

	free(message);
	if (rc == 1)
		changes_moved(&l->op.changes, l->id, state->status, status);
	return rc;
}

static int requeue(struct store_db *db, struct lost *l, const struct run_state *state,
		   struct err *err)
{
	char *message = xasprintf("attempt %d was lost: %s", state->attempt, l->why);
	int rc = run_move_requeue(db, state, message, l->op.now_ms, err);

	free(message);
	if (rc != 1)
		return rc;
	changes_moved(&l->op.changes, l->id, state->status, RUN_QUEUED);
	return changes_ask_oldest(&l->op.changes, db, err);
}

static int decide(struct store_db *db, struct lost *l, const struct run_state *state,
		  struct err *err)
{
	if (state->attempt != l->attempt ||
	    (state->status != RUN_STARTED && state->status != RUN_RUNNING))
		return 0; /* somebody else has it by now */
	if (state->cancel_requested)
		return end(db, l, state, RUN_CANCELED, "canceled", "; a cancel had been asked",
			   err);
	if (state->has_images)
		return end(db, l, state, RUN_ERROR, "runner_lost",
			   "; it is not tried again because an image had been pushed", err);
	if (state->attempt >= l->op.q->max_attempts)
		return end(db, l, state, RUN_ERROR, "runner_lost", "; this was the last attempt",
			   err);
	return requeue(db, l, state, err);
}

static int lost_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct lost *l = (struct lost *)req;
	struct run_state state = { 0 };
	int rc = run_state_find(db, NULL, l->id, &state, err);

	if (rc == 0)
		err_set(err, ERR_NOTFOUND, "not_found", "there is no run '%.60s'", l->id);
	if (rc != 1)
		return -1;
	rc = decide(db, l, &state, err);
	run_state_release(&state);
	if (rc < 0)
		return -1;
	return run_find(db, NULL, l->id, &l->run, err) < 0 ? -1 : 0;
}

static void lost_done(struct store_req *req)
{
	struct lost *l = (struct lost *)req;

	op_publish(&l->op);
	l->cb(req->rc < 0 ? NULL : &l->run, op_err(&l->op), l->op.data);
	run_release(&l->run);
	free(l->why);
	op_end(&l->op);
}

void queue_lost(struct queue *q, const char *id, int attempt, const char *why, queue_run_cb cb,
		void *data)
{
	struct lost *l = xnew(struct lost);

	*l = (struct lost){ .attempt = attempt, .why = xstrdup(why), .cb = cb };
	snprintf(l->id, sizeof l->id, "%s", id);
	op_write(&l->op, q, lost_work, lost_done, data);
}

/*
 * claim: the oldest ready run, Queued to Started.
 *
 * A run that cannot be handed out (its secrets were sealed with another key, its record is damaged)
 * would stand at the head of the queue for ever: it ends as Error and the next one is looked at.
 */
#include "common/scope.h"
#include "queue/internal.h"
#include "queue/secrets.h"
#include "store/run_moves.h"
#include "store/run_rows.h"

enum { SPOILT_MAX = 100 }; /* in one transaction; the next claim goes on */

struct claim {
	struct op op;
	struct run run; /* no id: nothing is ready */
	queue_run_cb cb;
};

/* The run with its secrets. -1 when it is of no use, with the reason. */
static int load(struct store_db *db, struct claim *c, const struct run_state *state,
		struct err *err)
{
	cleanup_buf struct buf sealed = BUF_INIT;

	if (run_find(db, NULL, state->id, &c->run, err) < 0 ||
	    run_read_sealed(db, state->seq, &sealed, err) < 0 ||
	    secrets_open_run(&c->run, c->op.q->key, buf_str(&sealed), err) < 0) {
		run_release(&c->run);
		return -1;
	}
	return 0;
}

static int claim(struct store_db *db, struct claim *c, struct run_state *state, struct err *err)
{
	if (run_move_claim(db, state, c->op.now_ms, err) < 0)
		return -1;
	state->status = RUN_STARTED;
	state->attempt++;
	changes_moved(&c->op.changes, state->id, RUN_QUEUED, RUN_STARTED);
	return 0;
}

/* The database itself failing is another matter: then the whole claim fails. */
static int end_spoilt(struct store_db *db, struct claim *c, const struct run_state *state,
		      const struct err *why, struct err *err)
{
	if (why->code == ERR_UNAVAILABLE) {
		*err = *why;
		return -1;
	}
	const char *word = err_is(why, "secret_key") ? "secret_key" : "internal";
	if (run_move_end(db, state, RUN_ERROR, word, why->msg, c->op.now_ms, err) < 0)
		return -1;
	changes_moved(&c->op.changes, state->id, RUN_STARTED, RUN_ERROR);
	return 0;
}

/* 1: go on with the next one. */
static int try_next(struct store_db *db, struct claim *c, struct err *err)
{
	struct run_state state = { 0 };
	struct err why = { 0 };
	int rc = run_state_next_ready(db, &state, err);

	if (rc == 1) {
		rc = claim(db, c, &state, err);
		if (rc == 0 && load(db, c, &state, &why) < 0)
			rc = end_spoilt(db, c, &state, &why, err) < 0 ? -1 : 1;
	}
	run_state_release(&state);
	return rc;
}

static int claim_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct claim *c = (struct claim *)req;
	int rc = 1;

	for (int i = 0; i < SPOILT_MAX && rc == 1; i++)
		rc = try_next(db, c, err);
	if (rc < 0)
		return -1;
	return c->op.changes.len ? changes_ask_oldest(&c->op.changes, db, err) : 0;
}

static void claim_done(struct store_req *req)
{
	struct claim *c = (struct claim *)req;

	op_publish(&c->op);
	c->cb(req->rc == 0 && c->run.id ? &c->run : NULL, op_err(&c->op), c->op.data);
	run_release(&c->run);
	op_end(&c->op);
}

void queue_claim(struct queue *q, queue_run_cb cb, void *data)
{
	struct claim *c = xnew(struct claim);

	c->cb = cb;
	op_write(&c->op, q, claim_work, claim_done, data);
}

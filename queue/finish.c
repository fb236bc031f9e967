/* finish: a claimed run reaches its terminal status, once. */
#include <assert.h>

#include "queue/internal.h"
#include "store/run_moves.h"

struct finish {
	struct op op;
	char id[RUN_ID_BYTES];
	int attempt;
	struct run_record result;
	bool applied;
	queue_applied_cb cb;
};

static int finish_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct finish *f = (struct finish *)req;
	struct run_state state = { 0 };
	int rc = run_state_find(db, NULL, f->id, &state, err);
	bool claimed = rc == 1 && state.attempt == f->attempt &&
		       (state.status == RUN_STARTED || state.status == RUN_RUNNING);

	if (claimed)
		rc = run_move_finish(db, &state, &f->result, f->op.now_ms, err);
	f->applied = claimed && rc == 1;
	if (f->applied)
		changes_moved(&f->op.changes, f->id, state.status, f->result.status);
	run_state_release(&state);
	return rc < 0 ? -1 : 0;
}

static void finish_done(struct store_req *req)
{
	struct finish *f = (struct finish *)req;

	op_publish(&f->op);
	f->cb(req->rc == 0 && f->applied, op_err(&f->op), f->op.data);
	run_record_release(&f->result);
	op_end(&f->op);
}

void queue_finish(struct queue *q, const char *id, int attempt, const struct run *result,
		  queue_applied_cb cb, void *data)
{
	struct finish *f = xnew(struct finish);

	assert(run_status_is_terminal(result->status));
	*f = (struct finish){ .attempt = attempt, .cb = cb };
	snprintf(f->id, sizeof f->id, "%s", id);
	run_record_init(&f->result, result);
	op_write(&f->op, q, finish_work, finish_done, data);
}

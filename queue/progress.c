/* progress: what a claimed run says of itself while it goes on, and whether it may push. */
#include "queue/internal.h"
#include "store/run_moves.h"

struct progress {
	struct op op;
	char id[RUN_ID_BYTES];
	int attempt;
	struct run_record record;
	bool applied;
	queue_applied_cb cb;
};

/* 1: the run is this attempt's and claimed. */
static int find_claimed(struct store_db *db, const struct progress *p, struct run_state *out,
			struct err *err)
{
	int rc = run_state_find(db, NULL, p->id, out, err);

	if (rc != 1)
		return rc;
	return out->attempt == p->attempt &&
	       (out->status == RUN_STARTED || out->status == RUN_RUNNING);
}

static int progress_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct progress *p = (struct progress *)req;
	struct run_state state = { 0 };
	int rc = find_claimed(db, p, &state, err);

	if (rc == 1)
		rc = run_move_progress(db, &state, &p->record, p->op.now_ms, err);
	if (rc == 1)
		changes_moved(&p->op.changes, p->id, state.status, RUN_RUNNING);
	p->applied = rc == 1;
	run_state_release(&state);
	return rc < 0 ? -1 : 0;
}

/* It goes through the writer, behind every cancel that was accepted before. */
static int grant_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct progress *p = (struct progress *)req;
	struct run_state state = { 0 };
	int rc = find_claimed(db, p, &state, err);

	p->applied = rc == 1 && !state.cancel_requested;
	run_state_release(&state);
	return rc < 0 ? -1 : 0;
}

static void progress_done(struct store_req *req)
{
	struct progress *p = (struct progress *)req;

	op_publish(&p->op);
	p->cb(req->rc == 0 && p->applied, op_err(&p->op), p->op.data);
	run_record_release(&p->record);
	op_end(&p->op);
}

static struct progress *create(const char *id, int attempt, queue_applied_cb cb)
{
	struct progress *p = xnew(struct progress);

	*p = (struct progress){ .attempt = attempt, .cb = cb };
	snprintf(p->id, sizeof p->id, "%s", id);
	return p;
}

void queue_progress(struct queue *q, const char *id, int attempt, const struct run *progress,
		    queue_applied_cb cb, void *data)
{
	struct progress *p = create(id, attempt, cb);

	run_record_init(&p->record, progress);
	op_write(&p->op, q, progress_work, progress_done, data);
}

void queue_grant_push(struct queue *q, const char *id, int attempt, queue_applied_cb cb, void *data)
{
	struct progress *p = create(id, attempt, cb);
	op_write(&p->op, q, grant_work, progress_done, data);
}

/* submit: how a run comes to be; here a manual one, straight into the queue. */
#include "common/scope.h"
#include "queue/internal.h"
#include "queue/secrets.h"
#include "store/registry_rows.h"
#include "store/run_rows.h"

int op_create_run(struct op *op, struct store_db *db, struct run_draft *draft, struct err *err)
{
	struct run *run = &draft->run;
	cleanup_buf struct buf sealed = BUF_INIT;
	char id[RUN_ID_BYTES];

	if (registry_next_run_id(db, run->registry, id, err) < 0)
		return -1;
	run->id = xstrdup(id);
	run->status = RUN_QUEUED;
	run->attempt = 0;
	run->create_ms = run->updated_ms = op->now_ms;
	secrets_seal_run(&sealed, run, op->q->key);
	if (run_insert(db, draft, buf_str(&sealed), err) < 0)
		return -1;
	changes_created(&op->changes, id);
	return 0;
}

struct submit {
	struct op op;
	struct run_draft draft;
	queue_run_cb cb;
};

static int submit_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct submit *s = (struct submit *)req;
	return op_create_run(&s->op, db, &s->draft, err);
}

static void submit_done(struct store_req *req)
{
	struct submit *s = (struct submit *)req;

	op_publish(&s->op);
	s->cb(req->rc < 0 ? NULL : &s->draft.run, op_err(&s->op), s->op.data);
	run_draft_release(&s->draft);
	op_end(&s->op);
}

void queue_submit(struct queue *q, struct run *run, queue_run_cb cb, void *data)
{
	struct submit *s = xnew(struct submit);

	s->cb = cb;
	run_draft_init(&s->draft, run);
	op_write(&s->op, q, submit_work, submit_done, data);
}

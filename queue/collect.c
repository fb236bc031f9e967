/* collect: retention, a bounded piece at a time so that nothing waits long behind it. */
#include "queue/internal.h"
#include "store/delivery_rows.h"
#include "store/run_moves.h"

enum { COLLECT_MAX = 500 };

struct collect {
	struct op op;
	int64_t runs_before_ms, deliveries_before_ms;
	struct strvec ids;
	queue_ids_cb cb;
};

static int collect_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct collect *c = (struct collect *)req;

	if (run_forget(db, c->runs_before_ms, COLLECT_MAX, &c->ids, err) < 0)
		return -1;
	return delivery_forget(db, c->deliveries_before_ms, COLLECT_MAX, err);
}

static void collect_done(struct store_req *req)
{
	struct collect *c = (struct collect *)req;

	if (req->rc < 0)
		strvec_release(&c->ids); /* they are still there */
	c->cb((const char *const *)c->ids.items, c->ids.len, op_err(&c->op), c->op.data);
	strvec_release(&c->ids);
	op_end(&c->op);
}

void queue_collect(struct queue *q, int64_t runs_before_ms, int64_t deliveries_before_ms,
		   queue_ids_cb cb, void *data)
{
	struct collect *c = xnew(struct collect);

	*c = (struct collect){
		.runs_before_ms = runs_before_ms,
		.deliveries_before_ms = deliveries_before_ms,
		.cb = cb,
	};
	op_write(&c->op, q, collect_work, collect_done, data);
}

/* preview: what accepting a delivery would say, asked on the reader's lane. */
#include "queue/internal.h"

struct preview {
	struct op op;
	struct delivery delivery;
	struct delivery known;
	bool is_known;
	queue_preview_cb cb;
};

static int look_at(struct store_db *db, struct preview *p, struct verdict *v, struct err *err)
{
	char *run_id = NULL;
	int rc = accept_find_repeated(db, &p->delivery, v, &run_id, err);

	if (rc == 1) {
		free(v->reason);
		v->reason = xasprintf("would repeat the event that started run %s", run_id);
		v->run_id = run_id;
	}
	return rc;
}

static int preview_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct preview *p = (struct preview *)req;

	for (size_t i = 0; i < p->delivery.verdicts_len; i++) {
		struct verdict *v = &p->delivery.verdicts[i];
		if (v->matched && look_at(db, p, v, err) < 0)
			return -1;
	}
	int known = accept_find_known(db, &p->delivery, &p->known, err);
	p->is_known = known == 1;
	return known < 0 ? -1 : 0;
}

static void preview_done(struct store_req *req)
{
	struct preview *p = (struct preview *)req;

	p->cb(&p->delivery, p->is_known ? &p->known : NULL, op_err(&p->op), p->op.data);
	delivery_release(&p->delivery);
	delivery_release(&p->known);
	op_end(&p->op);
}

void queue_preview(struct queue *q, struct delivery *delivery, queue_preview_cb cb, void *data)
{
	struct preview *p = xnew(struct preview);

	*p = (struct preview){ .delivery = *delivery, .cb = cb };
	*delivery = (struct delivery){ 0 };
	op_read(&p->op, q, preview_work, preview_done, data);
}

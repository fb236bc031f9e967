/* deliveries: what came in and what became of it, read on the reader's lane. */
#include "queue/internal.h"
#include "store/delivery_rows.h"

struct list {
	struct op op;
	char *delivery_id; /* NULL: the newest `top` */
	size_t top;
	struct delivery_list deliveries;
	queue_deliveries_cb cb;
};

static int newest_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct list *l = (struct list *)req;
	return delivery_list_newest(db, l->top, &l->deliveries, err);
}

static int by_id_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct list *l = (struct list *)req;

	if (delivery_list_by_id(db, l->delivery_id, &l->deliveries, err) < 0)
		return -1;
	if (l->deliveries.len == 0)
		return err_set(err, ERR_NOTFOUND, "not_found", "there is no delivery '%.128s'",
			       l->delivery_id);
	return 0;
}

static void list_done(struct store_req *req)
{
	struct list *l = (struct list *)req;

	l->cb(l->deliveries.items, l->deliveries.len, op_err(&l->op), l->op.data);
	delivery_list_release(&l->deliveries);
	free(l->delivery_id);
	op_end(&l->op);
}

void queue_list_deliveries(struct queue *q, size_t top, queue_deliveries_cb cb, void *data)
{
	struct list *l = xnew(struct list);

	*l = (struct list){ .top = top, .cb = cb };
	op_read(&l->op, q, newest_work, list_done, data);
}

void queue_get_delivery(struct queue *q, const char *delivery_id, queue_deliveries_cb cb,
			void *data)
{
	struct list *l = xnew(struct list);

	*l = (struct list){ .delivery_id = xstrdup(delivery_id), .cb = cb };
	op_read(&l->op, q, by_id_work, list_done, data);
}

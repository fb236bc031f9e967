/* list: runs as they are on disk, read on the reader's lane. */
#include "common/scope.h"
#include "queue/internal.h"
#include "store/run_list.h"
#include "store/run_moves.h"
#include "store/run_rows.h"

/* ---- one run ---- */

struct get {
	struct op op;
	char *registry, *id;
	bool archived; /* to be set */
	struct run run;
	queue_run_cb cb;
};

static int get_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct get *g = (struct get *)req;
	int rc = run_find(db, g->registry, g->id, &g->run, err);

	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "not_found", "there is no run '%.60s'", g->id);
	return rc < 0 ? -1 : 0;
}

static int archive_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct get *g = (struct get *)req;

	if (run_set_archived(db, g->registry, g->id, g->archived, g->op.now_ms, err) < 0)
		return -1;
	if (get_work(db, req, err) < 0)
		return -1;
	changes_moved(&g->op.changes, g->id, g->run.status, g->run.status);
	return 0;
}

static void get_done(struct store_req *req)
{
	struct get *g = (struct get *)req;

	op_publish(&g->op);
	g->cb(req->rc < 0 ? NULL : &g->run, op_err(&g->op), g->op.data);
	run_release(&g->run);
	free(g->registry);
	free(g->id);
	op_end(&g->op);
}

static struct get *get_create(const char *registry, const char *id, queue_run_cb cb)
{
	struct get *g = xnew(struct get);

	*g = (struct get){ .registry = xstrdup(registry), .id = xstrdup(id), .cb = cb };
	return g;
}

void queue_get_run(struct queue *q, const char *registry, const char *id, queue_run_cb cb,
		   void *data)
{
	struct get *g = get_create(registry, id, cb);
	op_read(&g->op, q, get_work, get_done, data);
}

void queue_set_archived(struct queue *q, const char *registry, const char *id, bool archived,
			queue_run_cb cb, void *data)
{
	struct get *g = get_create(registry, id, cb);

	g->archived = archived;
	op_write(&g->op, q, archive_work, get_done, data);
}

/* ---- many ---- */

struct list {
	struct op op;
	struct run_query query;
	int64_t before_seq;
	size_t top;
	struct run_list runs;
	queue_runs_cb cb;
};

/* One more than asked for tells whether there are more, without counting them. */
static int list_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct list *l = (struct list *)req;
	return run_query_page(db, &l->query, l->before_seq, l->top + 1, &l->runs, err);
}

static int unfinished_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct list *l = (struct list *)req;
	return run_list_claimed(db, &l->runs, err);
}

static void list_done(struct store_req *req)
{
	struct list *l = (struct list *)req;
	bool more = l->top && l->runs.len > l->top;

	l->cb(l->runs.items, more ? l->top : l->runs.len, more, op_err(&l->op), l->op.data);
	run_list_release(&l->runs);
	run_query_release(&l->query);
	op_end(&l->op);
}

void queue_list_runs(struct queue *q, const char *registry, const struct filter *filter,
		     int64_t before_seq, size_t top, queue_runs_cb cb, void *data)
{
	struct list *l = xnew(struct list);

	*l = (struct list){ .before_seq = before_seq, .top = top ? top : 1, .cb = cb };
	run_query_init(&l->query, registry, filter);
	op_read(&l->op, q, list_work, list_done, data);
}

void queue_unfinished(struct queue *q, queue_runs_cb cb, void *data)
{
	struct list *l = xnew(struct list);

	l->cb = cb;
	op_read(&l->op, q, unfinished_work, list_done, data);
}

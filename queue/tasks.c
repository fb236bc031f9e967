/* tasks: put and delete, and the look-ups in memory that need no query. */
#include "queue/internal.h"
#include "queue/secrets.h"
#include "store/task_rows.h"

const struct task *queue_task(const struct queue *q, const char *registry, const char *name)
{
	return task_index_find(&q->tasks, registry, name);
}

size_t queue_tasks(const struct queue *q, const char *registry, const struct task *const **out)
{
	return task_index_list(&q->tasks, registry, out);
}

size_t queue_tasks_of_repository(const struct queue *q, const char *repository,
				 const struct task *const **out)
{
	return task_index_following(&q->tasks, repository, out);
}

/* ---- put ---- */

struct put {
	struct op op;
	struct task task;
	queue_task_cb cb;
};

static int put_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct put *p = (struct put *)req;
	struct buf sealed = BUF_INIT;

	if (!queue_knows_registry(p->op.q, p->task.registry))
		return err_set(err, ERR_NOTFOUND, "not_found", "there is no registry '%.100s'",
			       p->task.registry);
	secrets_seal_task(&sealed, &p->task, p->op.q->key);
	int rc = task_put(db, &p->task, buf_str(&sealed), err);
	buf_release(&sealed);
	return rc;
}

static void put_done(struct store_req *req)
{
	struct put *p = (struct put *)req;
	const struct task *stored = NULL;

	if (req->rc == 0)
		stored = task_index_put(&p->op.q->tasks, &p->task);
	p->cb(stored, op_err(&p->op), p->op.data);
	task_release(&p->task);
	op_end(&p->op);
}

void queue_put_task(struct queue *q, struct task *task, queue_task_cb cb, void *data)
{
	struct put *p = xnew(struct put);

	p->cb = cb;
	p->task = *task;
	*task = (struct task){ 0 };
	p->task.created_ms = p->task.updated_ms = clock_now_ms();
	op_write(&p->op, q, put_work, put_done, data);
}

/* ---- delete ---- */

struct delete
{
	struct op op;
	char *registry, *name;
	bool deleted;
	queue_task_cb cb;
};

static int delete_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct delete *d = (struct delete *)req;
	int deleted = task_delete(db, d->registry, d->name, err);

	d->deleted = deleted == 1;
	return deleted < 0 ? -1 : 0;
}

static void delete_done(struct store_req *req)
{
	struct delete *d = (struct delete *)req;
	struct task task = { 0 };
	bool was_there = req->rc == 0 && d->deleted &&
			 task_index_remove(&d->op.q->tasks, d->registry, d->name, &task);

	d->cb(was_there ? &task : NULL, op_err(&d->op), d->op.data);
	task_release(&task);
	free(d->registry);
	free(d->name);
	op_end(&d->op);
}

void queue_delete_task(struct queue *q, const char *registry, const char *name, queue_task_cb cb,
		       void *data)
{
	struct delete *d = xnew(struct delete);

	*d = (struct delete){
		.registry = xstrdup(registry),
		.name = xstrdup(name),
		.cb = cb,
	};
	op_write(&d->op, q, delete_work, delete_done, data);
}

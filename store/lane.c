#include "store/lane.h"

#include <assert.h>

enum { GATHER_NS = 200 * 1000 };

void requests_push(struct requests *q, struct store_req *req)
{
	req->next = NULL;
	if (q->last)
		q->last->next = req;
	else
		q->first = req;
	q->last = req;
}

struct store_req *requests_pop(struct requests *q)
{
	struct store_req *req = q->first;

	if (!req)
		return NULL;
	q->first = req->next;
	if (!q->first)
		q->last = NULL;
	req->next = NULL;
	return req;
}

/* ---- the writer's transaction ---- */

static int run_literal(struct store_db *db, const char *literal, struct err *err)
{
	return stmt_run(stmt_get(db, literal), err);
}

/* -1: the transaction as a whole is lost, with the reason in *err. */
static int run_one(struct store_db *db, struct store_req *req, struct err *err)
{
	req->err = (struct err){ 0 };
	if (run_literal(db, "SAVEPOINT request", err) < 0)
		return -1;
	req->rc = req->work(db, req, &req->err);
	if (db->broken || sqlite3_get_autocommit(db->sqlite)) {
		*err = req->err;
		return -1;
	}
	if (req->rc < 0 && run_literal(db, "ROLLBACK TO request", err) < 0)
		return -1;
	return run_literal(db, "RELEASE request", err);
}

static int run_transaction(struct store_db *db, struct requests *group, struct err *err)
{
	if (db_ensure(db, err) < 0 || run_literal(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (struct store_req *req = group->first; req; req = req->next)
		if (run_one(db, req, err) < 0)
			return -1;
	return run_literal(db, "COMMIT", err);
}

static void roll_back(struct store_db *db)
{
	if (db->sqlite && !sqlite3_get_autocommit(db->sqlite))
		db_exec(db, "ROLLBACK", NULL);
}

void lane_run_group(struct store_db *db, struct requests *group)
{
	struct err err = { 0 };

	if (run_transaction(db, group, &err) == 0)
		return;
	roll_back(db);
	if (err.code == ERR_NONE)
		err_set(&err, ERR_UNAVAILABLE, "storage", "the database gave up a transaction");
	for (struct store_req *req = group->first; req; req = req->next) {
		req->rc = -1;
		req->err = err;
	}
}

/* ---- the reader's ---- */

static int read_snapshot(struct store_db *db, struct store_req *req, struct err *err)
{
	if (db_ensure(db, err) < 0 || run_literal(db, "BEGIN", err) < 0)
		return -1;
	int rc = req->work(db, req, err);
	roll_back(db); /* there is nothing to keep */
	return rc;
}

static void run_read(struct store_db *db, struct store_req *req)
{
	req->err = (struct err){ 0 };
	req->rc = read_snapshot(db, req, &req->err);
}

/* ---- the thread ---- */

/*
 * Requests that are answered together tend to come back together, a moment after one another. To
 * commit the first one alone would keep the others waiting for a whole fsync, so the writer gives
 * them a fraction of that time. Whoever is alone never waits: then the last group was of one.
 */
static void gather(struct lane *l)
{
	uint64_t until_ns = uv_hrtime() + GATHER_NS;

	while (l->waiting_len < l->last_group && !l->stopping) {
		uint64_t now_ns = uv_hrtime();
		if (now_ns >= until_ns)
			return;
		uv_cond_timedwait(&l->wake, &l->mutex, until_ns - now_ns);
	}
}

/* Wait for requests: all of them for the writer, one for the reader. False: time to end. */
static bool take(struct lane *l, struct requests *out)
{
	size_t limit = l->db.mode == DB_WRITER ? LANE_GROUP : 1, n = 0;
	struct store_req *req;

	*out = (struct requests){ 0 };
	uv_mutex_lock(&l->mutex);
	while (!l->waiting.first && !l->stopping)
		uv_cond_wait(&l->wake, &l->mutex);
	if (l->db.mode == DB_WRITER)
		gather(l);
	for (; n < limit && (req = requests_pop(&l->waiting)); n++)
		requests_push(out, req);
	l->waiting_len -= n;
	l->last_group = n;
	uv_mutex_unlock(&l->mutex);
	return n > 0;
}

static void send_back(struct returns *returns, struct requests *group)
{
	struct store_req *req;

	uv_mutex_lock(&returns->mutex);
	while ((req = requests_pop(group)))
		requests_push(&returns->requests, req);
	uv_mutex_unlock(&returns->mutex);
	uv_async_send(&returns->async);
}

static void say_ended(struct returns *returns)
{
	uv_mutex_lock(&returns->mutex);
	returns->lanes_open--;
	uv_async_send(&returns->async); /* under the mutex: whoever sees 0 may close the handle */
	uv_mutex_unlock(&returns->mutex);
}

static void lane_main(void *data)
{
	struct lane *l = data;
	struct requests group;

	while (take(l, &group)) {
		if (l->db.mode == DB_WRITER)
			lane_run_group(&l->db, &group);
		else
			run_read(&l->db, group.first);
		send_back(l->returns, &group);
		if (l->db.mode == DB_WRITER)
			db_checkpoint_if_due(&l->db);
	}
	db_close(&l->db);
	say_ended(l->returns);
}

/* ---- its owner ---- */

void lane_init(struct lane *l, const char *path, enum db_mode mode, struct returns *returns)
{
	*l = (struct lane){ .returns = returns };
	db_init(&l->db, path, mode);
	/* These only fail without memory, which nothing here survives. */
	int failed = uv_mutex_init(&l->mutex) || uv_cond_init(&l->wake);
	assert(!failed);
}

int lane_start(struct lane *l, struct err *err)
{
	l->returns->lanes_open++;
	int rc = uv_thread_create(&l->thread, lane_main, l);
	if (rc < 0) {
		l->returns->lanes_open--;
		return err_set(err, ERR_UNAVAILABLE, "storage", "cannot start a thread: %s",
			       uv_strerror(rc));
	}
	l->started = true;
	return 0;
}

void lane_submit(struct lane *l, struct store_req *req)
{
	uv_mutex_lock(&l->mutex);
	assert(!l->stopping);
	requests_push(&l->waiting, req);
	l->waiting_len++;
	bool wanted = l->waiting_len == 1 || l->waiting_len == l->last_group;
	uv_mutex_unlock(&l->mutex);
	if (wanted)
		uv_cond_signal(&l->wake);
}

void lane_stop(struct lane *l)
{
	uv_mutex_lock(&l->mutex);
	l->stopping = true;
	uv_mutex_unlock(&l->mutex);
	uv_cond_signal(&l->wake);
}

void lane_release(struct lane *l)
{
	if (l->started)
		uv_thread_join(&l->thread);
	db_release(&l->db);
	uv_cond_destroy(&l->wake);
	uv_mutex_destroy(&l->mutex);
}

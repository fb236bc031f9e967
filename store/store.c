#include "store/store.h"

#include <assert.h>

#include "common/fs.h"
#include "common/scope.h"
#include "store/lane.h"
#include "store/schema.h"

struct store {
	struct lane writer, reader;
	struct returns returns;
	int lock_fd;
	bool closing;
	void (*closed)(void *data);
	void *closed_data;
};

static void destroy(struct store *s)
{
	lane_release(&s->reader);
	lane_release(&s->writer);
	if (s->lock_fd >= 0)
		close(s->lock_fd); /* the last thing: from here on another server may open it */
	uv_mutex_destroy(&s->returns.mutex);
	free(s);
}

static void on_async_closed(uv_handle_t *handle)
{
	struct store *s = handle->data;
	void (*closed)(void *data) = s->closed;
	void *data = s->closed_data;

	destroy(s);
	if (closed)
		closed(data);
}

static struct store_req *next_return(struct store *s, bool *all_ended)
{
	uv_mutex_lock(&s->returns.mutex);
	struct store_req *req = requests_pop(&s->returns.requests);
	*all_ended = !req && s->returns.lanes_open == 0;
	uv_mutex_unlock(&s->returns.mutex);
	return req;
}

static void on_returns(uv_async_t *async)
{
	struct store *s = async->data;
	struct store_req *req;
	bool all_ended;

	while ((req = next_return(s, &all_ended)))
		req->done(req);
	if (s->closing && all_ended && !uv_is_closing((uv_handle_t *)async))
		uv_close((uv_handle_t *)async, on_async_closed);
}

/* A file beside the database, because SQLite loses its own locks when anybody in this process
 * closes a descriptor of the database file. */
static int take_lock(struct store *s, const char *path, struct err *err)
{
	cleanup_free char *lock = xasprintf("%s-lock", path);
	struct err why = { 0 };

	if (fs_lock(&s->lock_fd, lock, NULL, &why) == 0)
		return 0;
	if (err_is(&why, "locked"))
		return err_set(err, ERR_CONFLICT, "config_locked",
			       "the database %s is in use by another server", path);
	if (err)
		*err = why;
	return -1;
}

static int open_parts(struct store *s, const char *path, struct err *err)
{
	struct store_db *db = &s->writer.db;

	if (take_lock(s, path, err) < 0 || db_open(db, err) < 0 || schema_check(db, err) < 0 ||
	    db_prepare_writer(db, err) < 0 || schema_migrate(db, err) < 0)
		return -1;
	return db_open(&s->reader.db, err);
}

static int start(struct store *s, struct uv_loop_s *loop, struct err *err)
{
	int rc = uv_async_init(loop, &s->returns.async, on_returns);

	if (rc < 0) {
		destroy(s);
		return err_set(err, ERR_UNAVAILABLE, "storage", "cannot wake the loop: %s",
			       uv_strerror(rc));
	}
	s->returns.async.data = s;
	if (lane_start(&s->writer, err) < 0 || lane_start(&s->reader, err) < 0) {
		store_close(s, NULL, NULL);
		return -1;
	}
	return 0;
}

int store_open(struct store **out, struct uv_loop_s *loop, const char *path, struct err *err)
{
	struct store *s = xnew(struct store);

	/* Nobody asks SQLite how much memory it uses; the lanes would share a mutex for it. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->lock_fd = -1;
	int failed = uv_mutex_init(&s->returns.mutex);
	assert(!failed);
	lane_init(&s->writer, path, DB_WRITER, &s->returns);
	lane_init(&s->reader, path, DB_READER, &s->returns);
	if (open_parts(s, path, err) < 0) {
		destroy(s);
		return -1;
	}
	if (start(s, loop, err) < 0)
		return -1;
	*out = s;
	return 0;
}

/* Too late for the lanes: the answer goes the same way as all others, on a later turn. */
static void refuse(struct store *s, struct store_req *req)
{
	req->rc = -1;
	err_set(&req->err, ERR_UNAVAILABLE, "storage", "the service is stopping");
	uv_mutex_lock(&s->returns.mutex);
	requests_push(&s->returns.requests, req);
	uv_mutex_unlock(&s->returns.mutex);
	uv_async_send(&s->returns.async);
}

void store_write(struct store *s, struct store_req *req)
{
	if (s->closing)
		refuse(s, req);
	else
		lane_submit(&s->writer, req);
}

void store_read(struct store *s, struct store_req *req)
{
	if (s->closing)
		refuse(s, req);
	else
		lane_submit(&s->reader, req);
}

int store_now(struct store *s, struct store_req *req, struct err *err)
{
	struct requests group = { 0 };

	requests_push(&group, req);
	lane_run_group(&s->writer.db, &group);
	if (req->rc < 0 && err)
		*err = req->err;
	return req->rc;
}

void store_close(struct store *s, void (*closed)(void *data), void *data)
{
	s->closing = true;
	s->closed = closed;
	s->closed_data = data;
	lane_stop(&s->reader);
	lane_stop(&s->writer);
	uv_async_send(&s->returns.async); /* for lanes that never started */
}

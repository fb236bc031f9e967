#include "server/retention.h"

#include <dirent.h>
#include <sys/stat.h>
#include <uv.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "runner/contract/rundir.h"
#include "server/app.h"

enum {
	PERIOD_MS = 3600000,
	HOUR_MS = 3600000,
	DAY_MS = 86400000,
	COLLECT_MAX = 500, /* queue_collect()'s share */
};

/*
 *   IDLE ──► COLLECTING ──► REMOVING ──► … (as long as a share was full)
 *     ▲                        │
 *     │                        ▼
 *     └── REMOVING_UPLOADS ◄── LISTING (the runs that are under way)
 */
struct retention {
	struct app *app;
	uv_timer_t timer;
	uv_work_t work;
	char *data_dir;
	struct strvec run_ids; /* whose directories may go */
	struct strvec wanted;  /* contexts of runs that are under way: they may be tried again */
	int64_t uploads_before_ms;
	bool busy, closing, timer_gone;
	void (*closed)(void *data);
	void *closed_data;
};

static void maybe_closed(struct retention *r)
{
	if (!r->closing || r->busy || !r->timer_gone)
		return;
	if (r->closed)
		r->closed(r->closed_data);
	strvec_release(&r->run_ids);
	strvec_release(&r->wanted);
	free(r->data_dir);
	free(r);
}

/* True: the service is stopping, and the rest waits for the next one. */
static bool stopped(struct retention *r)
{
	if (!r->closing)
		return false;
	r->busy = false;
	maybe_closed(r);
	return true;
}

static void rest(struct retention *r, const struct err *err)
{
	if (err)
		log_warn("retention.failed", "error=\"%s\"", err->msg);
	r->busy = false;
	maybe_closed(r);
}

/* ---- uploads ---- */

static void remove_old_upload(const struct retention *r, int dir, const char *name)
{
	cleanup_free char *path = xasprintf("source/%s", name);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if ((int64_t)st.st_mtime * 1000 < r->uploads_before_ms && strvec_find(&r->wanted, path) < 0)
		unlinkat(dir, name, 0);
}

static void remove_uploads(uv_work_t *work)
{
	const struct retention *r = work->data;
	cleanup_free char *folder = fs_join(r->data_dir, "sources");
	cleanup_dir DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		remove_old_upload(r, dirfd(dir), entry->d_name);
}

static void on_uploads_removed(uv_work_t *work, int status)
{
	(void)status;
	rest(work->data, NULL);
}

/*
 * An upload is touched when a run is made of it (context_check.c), so that none is wanted which is
 * older than the oldest queued run.
 */
static void on_unfinished(const struct run *runs, size_t len, bool more, const struct err *err,
			  void *data)
{
	struct retention *r = data;
	int64_t oldest_ms = queue_counts(r->app->queue)->oldest_queued_ms;
	(void)more;

	if (stopped(r))
		return;
	if (err) {
		rest(r, err);
		return;
	}
	strvec_release(&r->wanted);
	for (size_t i = 0; i < len; i++) {
		if (runs[i].build.context)
			strvec_push(&r->wanted, runs[i].build.context);
	}
	r->uploads_before_ms = clock_now_ms() - DAY_MS;
	if (oldest_ms && oldest_ms - HOUR_MS < r->uploads_before_ms)
		r->uploads_before_ms = oldest_ms - HOUR_MS;
	uv_queue_work(r->app->loop, &r->work, remove_uploads, on_uploads_removed);
}

/* ---- runs ---- */

static void collect(struct retention *r);

static void remove_runs(uv_work_t *work)
{
	const struct retention *r = work->data;

	STRVEC_FOREACH (id, &r->run_ids) {
		cleanup_free char *path = rundir_path(r->data_dir, *id, NULL);
		struct err err = { 0 };
		if (fs_remove_tree(path, &err) < 0)
			log_warn("retention.failed", "run=%s error=\"%s\"", *id, err.msg);
	}
}

static void on_runs_removed(uv_work_t *work, int status)
{
	struct retention *r = work->data;
	bool again = r->run_ids.len >= COLLECT_MAX;
	(void)status;

	if (stopped(r))
		return;
	if (again) {
		collect(r);
		return;
	}
	queue_unfinished(r->app->queue, on_unfinished, r);
}

static void on_collected(const char *const *ids, size_t len, const struct err *err, void *data)
{
	struct retention *r = data;

	if (err) {
		rest(r, err);
		return;
	}
	strvec_release(&r->run_ids);
	for (size_t i = 0; i < len; i++)
		strvec_push(&r->run_ids, ids[i]);
	if (len)
		log_info("retention.collected", "runs=%zu", len);
	/* Also when the service is stopping: the rows are gone, nobody else finds these folders. */
	uv_queue_work(r->app->loop, &r->work, remove_runs, on_runs_removed);
}

static void collect(struct retention *r)
{
	int64_t now_ms = clock_now_ms();

	queue_collect(r->app->queue, now_ms - r->app->config->retention.runs_days * DAY_MS,
		      now_ms - (int64_t)DELIVERY_KEPT_DAYS * DAY_MS, on_collected, r);
}

static void on_timer(uv_timer_t *timer)
{
	struct retention *r = timer->data;

	if (r->busy)
		return;
	r->busy = true;
	collect(r);
}

/* ---- life ---- */

struct retention *retention_create(struct app *app, int64_t first_ms)
{
	struct retention *r = xnew(struct retention);

	r->app = app;
	r->data_dir = xstrdup(app->data_dir);
	uv_timer_init(app->loop, &r->timer);
	r->timer.data = r->work.data = r;
	uv_timer_start(&r->timer, on_timer, (uint64_t)first_ms, PERIOD_MS);
	return r;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct retention *r = handle->data;

	r->timer_gone = true;
	maybe_closed(r);
}

void retention_close(struct retention *r, void (*closed)(void *data), void *data)
{
	r->closing = true;
	r->closed = closed;
	r->closed_data = data;
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

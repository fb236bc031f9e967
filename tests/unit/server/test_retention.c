/* Retention with a real queue: what goes and what stays. */
#include <fcntl.h>
#include <sys/stat.h>
#include <uv.h>

#include "common/crypto.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "runner/contract/rundir.h"
#include "server/app.h"
#include "server/retention.h"
#include "tests/unit/folder.h"

enum { PATIENCE_MS = 20000, DAY_S = 86400 };

struct world {
	uv_loop_t loop;
	struct config config;
	struct app app;
};

static void turn_until(struct world *w, bool (*done)(void *data), void *data)
{
	for (int i = 0; i < PATIENCE_MS && !done(data); i++) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_true(done(data));
}

static bool is_set(void *data)
{
	return *(bool *)data;
}

static void set(void *data)
{
	*(bool *)data = true;
}

static void world_open(struct world *w, const char *dir)
{
	static const char *const registries[] = { "default" };
	static const unsigned char key[SEAL_KEY_BYTES];
	cleanup_free char *database = fs_join(dir, "slipway.db");
	cleanup_free char *sources = fs_join(dir, "sources");
	struct queue_opts opts = { .database = database,
				   .key = key,
				   .registries = registries,
				   .registries_len = 1,
				   .max_attempts = 2 };
	struct err err;

	*w = (struct world){ 0 };
	uv_loop_init(&w->loop);
	config_defaults(&w->config);
	w->config.retention.runs_days = -1; /* what ended just now is old enough */
	w->app = (struct app){ .loop = &w->loop, .config = &w->config, .data_dir = dir };
	assert_works(fs_mkdirs(sources, 0700, &err));
	assert_works(queue_open(&w->app.queue, &w->loop, &opts, &err));
}

static void world_close(struct world *w, struct retention *r)
{
	bool closed = false;

	retention_close(r, set, &closed);
	turn_until(w, is_set, &closed);
	closed = false;
	queue_close(w->app.queue, set, &closed);
	turn_until(w, is_set, &closed);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	config_release(&w->config);
}

/* ---- runs ---- */

static void on_run(const struct run *run, const struct err *err, void *data)
{
	assert_null(err);
	snprintf(data, RUN_ID_BYTES, "%s", run->id);
}

static bool has_id(void *data)
{
	return *(char *)data != '\0';
}

/* A queued run with its directory. */
static void submit(struct world *w, char id[RUN_ID_BYTES], const char *context)
{
	struct run run = { .registry = xstrdup("default"), .reason = xstrdup("test") };
	struct err err;

	*id = '\0';
	run.build.dockerfile = xstrdup("Dockerfile");
	run.build.context = xstrdup(context);
	queue_submit(w->app.queue, &run, on_run, id);
	turn_until(w, has_id, id);
	assert_works(rundir_create(w->app.data_dir, id, &err));
}

static void on_canceled(const struct cancel_result *results, size_t len, const struct err *err,
			void *data)
{
	assert_null(err);
	assert_int_equal(len, 1);
	assert_int_equal(results[0].status, RUN_CANCELED);
	set(data);
}

static void cancel(struct world *w, const char *id)
{
	bool done = false;

	queue_cancel(w->app.queue, "default", &id, 1, on_canceled, &done);
	turn_until(w, is_set, &done);
}

static void on_archived(const struct run *run, const struct err *err, void *data)
{
	assert_null(err);
	assert_true(run->archive_enabled);
	set(data);
}

static void archive(struct world *w, const char *id)
{
	bool done = false;

	queue_set_archived(w->app.queue, "default", id, true, on_archived, &done);
	turn_until(w, is_set, &done);
}

static void claim(struct world *w, const char *id)
{
	char claimed[RUN_ID_BYTES] = "";

	queue_claim(w->app.queue, on_run, claimed);
	turn_until(w, has_id, claimed);
	assert_string_equal(claimed, id);
}

static bool has_directory(const struct world *w, const char *id)
{
	cleanup_free char *path = rundir_path(w->app.data_dir, id, NULL);
	return fs_exists(path);
}

/* ---- uploads ---- */

/* An upload of this age; its path is the caller's. */
static char *upload(void **state, const char *name, int days)
{
	cleanup_free char *relative = xasprintf("sources/%s", name);
	char *path = folder_file(state, relative, "archive", 0600);
	time_t then = time(NULL) - (time_t)days * DAY_S - 60;
	struct timespec times[2] = { { .tv_sec = then }, { .tv_sec = then } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	return path;
}

static bool is_gone(void *path)
{
	return !fs_exists(path);
}

static void old_runs_go_with_their_directories_and_others_stay(void **state)
{
	struct world w;
	char ended[RUN_ID_BYTES], queued[RUN_ID_BYTES], archived[RUN_ID_BYTES];

	world_open(&w, *state);
	submit(&w, ended, "https://git.test/a.git");
	submit(&w, queued, "https://git.test/a.git");
	submit(&w, archived, "https://git.test/a.git");
	cancel(&w, ended);
	cancel(&w, archived);
	archive(&w, archived);

	struct retention *r = retention_create(&w.app, 0);
	cleanup_free char *path = rundir_path(*state, ended, NULL);
	turn_until(&w, is_gone, path);
	assert_true(has_directory(&w, queued));
	assert_true(has_directory(&w, archived));
	world_close(&w, r);
}

static void old_uploads_go_unless_a_run_that_is_under_way_wants_them(void **state)
{
	struct world w;
	char id[RUN_ID_BYTES];

	world_open(&w, *state);
	cleanup_free char *stale = upload(state, "stale.tar.gz", 1);
	cleanup_free char *wanted = upload(state, "wanted.tar.gz", 1);
	cleanup_free char *fresh = upload(state, "fresh.tar.gz", 0);
	submit(&w, id, "source/wanted.tar.gz");
	claim(&w, id);

	struct retention *r = retention_create(&w.app, 0);
	turn_until(&w, is_gone, stale);
	world_close(&w, r);
	assert_true(fs_exists(wanted));
	assert_true(fs_exists(fresh));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_runs_go_with_their_directories_and_others_stay,
						folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(
			old_uploads_go_unless_a_run_that_is_under_way_wants_them, folder_setup,
			folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/launch/world.h"

#include <fcntl.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"

enum { PATIENCE_MS = 20000 };

/* ---- what main.c does in the service ---- */

static void on_ready(void *data)
{
	struct world *w = data;
	if (w->launcher)
		launcher_kick(w->launcher);
}

static void on_run(const char *run_id, enum run_status status, void *data)
{
	struct world *w = data;
	(void)run_id, (void)status;
	w->news++;
}

static void on_cancel(const char *run_id, void *data)
{
	struct world *w = data;
	if (w->launcher)
		launcher_cancel(w->launcher, run_id);
}

static void on_progress(const char *run_id, bool ended, void *data)
{
	struct world *w = data;
	(void)run_id, (void)ended;
	w->progress++;
}

static int specify(struct spec *out, const struct run *run, void *data, struct err *err)
{
	struct world *w = data;
	(void)err;

	*out = (struct spec){
		.run_id = xstrdup(run->id),
		.attempt = run->attempt,
		.data_dir = xstrdup(w->dir),
		.deadline_ms = clock_now_ms() + 60000,
		.timeout_ms = 60000,
		.grace_ms = w->grace_ms,
		.registry_name = xstrdup(run->registry),
		.engine = { .kind = xstrdup("buildah") },
	};
	build_copy(&out->build, &run->build);
	return 0;
}

static void start(struct world *w)
{
	static const char *const registries[] = { "main" };
	static const unsigned char key[SEAL_KEY_BYTES];
	cleanup_free char *database = fs_join(w->dir, "slipway.db");
	struct queue_opts queue = {
		.database = database,
		.key = key,
		.registries = registries,
		.registries_len = 1,
		.max_attempts = 2,
		.on_ready = on_ready,
		.on_run = on_run,
		.on_cancel = on_cancel,
		.data = w,
	};
	struct launcher_opts launcher = {
		.runner_path = FAKE_RUNNER,
		.data_dir = w->dir,
		.max_running = w->max_running,
		.grace_ms = w->grace_ms,
		.specify = specify,
		.on_progress = on_progress,
		.data = w,
	};
	struct err err;

	assert_works(queue_open(&w->queue, &w->loop, &queue, &err));
	assert_works(launcher_create(&w->launcher, &w->loop, w->queue, &launcher, &err));
	launcher_recover(w->launcher);
}

static void set_flag(void *data)
{
	*(bool *)data = true;
}

/* ---- waiting ---- */

static void on_late(uv_timer_t *timer)
{
	fail_msg("waited too long for %s", (const char *)timer->data);
}

/* Turn the loop until `done`, with a look every few milliseconds for what has no event. */
static void turn_until(struct world *w, const char *what, bool (*done)(struct world *w, void *data),
		       void *data)
{
	uv_timer_t late;

	uv_timer_init(&w->loop, &late);
	late.data = (void *)what;
	uv_timer_start(&late, on_late, PATIENCE_MS, 0);
	while (!done(w, data)) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	uv_close((uv_handle_t *)&late, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

static bool flag_is_set(struct world *w, void *data)
{
	(void)w;
	return *(bool *)data;
}

static void stop(struct world *w)
{
	bool closed = false;

	launcher_close(w->launcher, set_flag, &closed);
	w->launcher = NULL;
	turn_until(w, "launcher_close", flag_is_set, &closed);
	closed = false;
	queue_close(w->queue, set_flag, &closed);
	turn_until(w, "queue_close", flag_is_set, &closed);
}

struct world *world_open(const char *dir, int max_running)
{
	struct world *w = xnew(struct world);

	w->dir = dir;
	w->max_running = max_running;
	w->grace_ms = 200;
	uv_loop_init(&w->loop);
	start(w);
	return w;
}

void world_close(struct world *w)
{
	stop(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	free(w);
}

void world_restart(struct world *w)
{
	stop(w);
	start(w);
}

static bool time_is_up(struct world *w, void *data)
{
	(void)w;
	return clock_monotonic_ms() >= *(int64_t *)data;
}

void world_idle(struct world *w, int ms)
{
	int64_t until = clock_monotonic_ms() + ms;
	turn_until(w, "time", time_is_up, &until);
}

/* ---- runs ---- */

struct answer {
	bool came;
	struct run *into; /* takes what the test looks at */
	char *id;
};

static void keep_run(struct run *to, const struct run *from)
{
	*to = (struct run){
		.id = xstrdup(from->id),
		.status = from->status,
		.attempt = from->attempt,
		.error_code = xstrdup(from->error_code),
		.error_message = xstrdup(from->error_message),
		.commit = xstrdup(from->commit),
		.cancel_requested = from->cancel_requested,
	};
	json_t *progress = run_progress_to_json(from);
	run_progress_from_json(to, progress);
	json_decref(progress);
}

static void on_answer(const struct run *run, const struct err *err, void *data)
{
	struct answer *a = data;

	if (err)
		fail_msg("%s: %s", err->word, err->msg);
	if (a->id)
		snprintf(a->id, RUN_ID_BYTES, "%s", run->id);
	if (a->into)
		keep_run(a->into, run);
	a->came = true;
}

void world_submit(struct world *w, char id[RUN_ID_BYTES], const char *script)
{
	struct answer a = { .id = id };
	struct run run = {
		.registry = xstrdup("main"),
		.type = RUN_QUICK_BUILD,
		.reason = xstrdup("test"),
	};

	run.build.dockerfile = xstrdup("Dockerfile");
	run.build.args = xnew(struct build_arg);
	run.build.args_len = 1;
	run.build.args[0] = (struct build_arg){ xstrdup("SCRIPT"), xstrdup(script), { 0 }, false };
	queue_submit(w->queue, &run, on_answer, &a);
	turn_until(w, "queue_submit", flag_is_set, &a.came);
}

void world_get(struct world *w, const char *id, struct run *out)
{
	struct answer a = { .into = out };

	queue_get_run(w->queue, "main", id, on_answer, &a);
	turn_until(w, "queue_get_run", flag_is_set, &a.came);
}

void world_wait_status(struct world *w, const char *id, enum run_status status)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	enum run_status now;

	for (;;) {
		struct run run;
		world_get(w, id, &run);
		now = run.status;
		run_release(&run);
		if (now == status)
			return;
		if (clock_monotonic_ms() > until || run_status_is_terminal(now))
			fail_msg("%s is %s, not %s", id, run_status_name(now),
				 run_status_name(status));
		world_idle(w, 5);
	}
}

static void on_canceled(const struct cancel_result *results, size_t len, const struct err *err,
			void *data)
{
	(void)results;
	if (err || len != 1)
		fail_msg("cancel: %s", err ? err->msg : "no result");
	*(bool *)data = true;
}

void world_cancel(struct world *w, const char *id)
{
	bool came = false;

	queue_cancel(w->queue, "main", &id, 1, on_canceled, &came);
	turn_until(w, "queue_cancel", flag_is_set, &came);
}

/* ---- files ---- */

bool world_has_file(struct world *w, const char *name)
{
	cleanup_free char *path = fs_join(w->dir, name);
	return fs_exists(path);
}

static bool file_is_there(struct world *w, void *data)
{
	return world_has_file(w, data);
}

void world_wait_file(struct world *w, const char *name)
{
	turn_until(w, name, file_is_there, (void *)name);
}

void world_touch(struct world *w, const char *name)
{
	cleanup_free char *path = fs_join(w->dir, name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
}

char *world_read(struct world *w, const char *name)
{
	cleanup_free char *path = fs_join(w->dir, name);
	struct buf text = BUF_LIMIT(1 << 20);

	fs_read(&text, path, NULL);
	return buf_detach(&text);
}

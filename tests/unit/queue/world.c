#include "tests/unit/queue/world.h"

#include <sqlite3.h>

#include "common/scope.h"

/* ---- the world ---- */

void answer_clear(struct answer *a)
{
	strvec_release(&a->runs);
	strvec_release(&a->names);
	strvec_release(&a->texts);
	strvec_release(&a->others);
	free(a->error_code);
	free(a->error_message);
	free(a->secret);
	free(a->commit);
	free(a->context);
	free(a->platform);
	*a = (struct answer){ 0 };
}

static void on_ready(void *data)
{
	strvec_push(&((struct world *)data)->news, "ready");
}

static void on_run(const char *id, enum run_status status, void *data)
{
	strvec_pushf(&((struct world *)data)->news, "%s %s", id, run_status_name(status));
}

static void on_cancel(const char *id, void *data)
{
	strvec_pushf(&((struct world *)data)->news, "cancel %s", id);
}

int world_open(struct world *w, struct err *err)
{
	static const char *const registries[] = { "main", "other" };
	struct queue_opts opts = {
		.database = w->path,
		.key = w->key,
		.registries = registries,
		.registries_len = ARRAY_LEN(registries),
		.max_attempts = w->max_attempts,
		.on_ready = on_ready,
		.on_run = on_run,
		.on_cancel = on_cancel,
		.data = w,
	};
	int rc = queue_open(&w->queue, &w->loop, &opts, err);

	if (rc < 0) {
		w->queue = NULL;
		uv_run(&w->loop, UV_RUN_DEFAULT);
	}
	return rc;
}

static void on_closed(void *data)
{
	((struct world *)data)->queue = NULL;
}

void world_close(struct world *w)
{
	if (!w->queue)
		return;
	queue_close(w->queue, on_closed, w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_null(w->queue);
}

void world_reopen(struct world *w)
{
	struct err err;

	world_close(w);
	assert_works(world_open(w, &err));
}

struct world *world_create(const char *folder)
{
	struct world *w = xnew(struct world);

	w->folder = xstrdup(folder);
	w->path = fs_join(folder, "slipway.db");
	w->max_attempts = 2;
	memset(w->key, 'k', sizeof w->key);
	uv_loop_init(&w->loop);
	return w;
}

void world_destroy(struct world *w)
{
	world_close(w);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	answer_clear(&w->answer);
	strvec_release(&w->news);
	free(w->folder);
	free(w->path);
	free(w);
}

int world_setup(void **state)
{
	struct err err;
	void *folder = NULL;

	if (folder_setup(&folder) < 0)
		return -1;
	struct world *w = world_create(folder);
	free(folder);
	*state = w;
	assert_works(world_open(w, &err));
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;
	void *folder = xstrdup(w->folder);

	world_destroy(w);
	return folder_teardown(&folder);
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("no answer within 30 s");
}

void world_wait(struct world *w)
{
	uv_timer_t deadline;

	uv_timer_init(&w->loop, &deadline);
	uv_timer_start(&deadline, on_deadline, 30000, 0);
	while (w->waiting)
		uv_run(&w->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&deadline, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

void answer_begin(struct world *w)
{
	answer_clear(&w->answer);
	w->waiting++;
}

void answer_came(struct world *w, const struct err *err)
{
	w->waiting--;
	w->answer.failed = err != NULL;
	if (err)
		w->answer.err = *err;
}

/* ---- for asserting ---- */

static const char *joined(struct strvec *v, char separator)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < v->len; i++) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", v->items[i],
					 i + 1 < v->len ? (char[]){ separator, 0 } : "");
		assert_true(used < sizeof text);
	}
	return text;
}

const char *ids(struct world *w)
{
	return joined(&w->answer.runs, ' ');
}

const char *news(struct world *w)
{
	const char *text = joined(&w->news, ',');

	strvec_release(&w->news);
	return text;
}

static char *sql_column(struct world *w, const char *sql, int column)
{
	sqlite3 *sqlite;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_open(w->path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &s, NULL), SQLITE_OK);
	char *text = sqlite3_step(s) == SQLITE_ROW
			     ? xstrdup((const char *)sqlite3_column_text(s, column))
			     : NULL;
	sqlite3_finalize(s);
	sqlite3_close(sqlite);
	return text;
}

char *sql_text(struct world *w, const char *sql)
{
	return sql_column(w, sql, 0);
}

/* The last column of the first line: "SEARCH run USING INDEX …". */
char *sql_plan(struct world *w, const char *explain)
{
	return sql_column(w, explain, 3);
}

int64_t sql_number(struct world *w, const char *sql)
{
	cleanup_free char *text = sql_text(w, sql);
	return text ? strtoll(text, NULL, 10) : -1;
}

void sql_run(struct world *w, const char *sql)
{
	free(sql_text(w, sql));
}

#include "tests/unit/queue/world.h"

#include <sqlite3.h>

#include "common/clock.h"
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

static void begin(struct world *w)
{
	answer_clear(&w->answer);
	w->waiting++;
}

static void answered(struct world *w, const struct err *err)
{
	w->waiting--;
	w->answer.failed = err != NULL;
	if (err)
		w->answer.err = *err;
}

/* ---- deliveries ---- */

static const char * or (const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

/* "A" stands for a commit of forty digits. */
static char *commit_id(const char *letter)
{
	unsigned char sha[SHA256_BYTES];

	sha256(sha, str_from(letter));
	char *hex = hex_encode(sha, SHA256_BYTES);
	hex[40] = '\0';
	return hex;
}

static void make_run(struct run *run, const struct delivery *d, const struct happening *h)
{
	const char *task = or (h->task, "web");

	*run = (struct run){
		.registry = xstrdup("main"),
		.type = RUN_AUTO_BUILD,
		.task = xstrdup(task),
		.order_key = xasprintf("main/%s/%s", task, d->event.ref),
		.reason = xstrdup("push to main by octocat"),
		.source = { .id = xstrdup(d->delivery_id),
			    .event_type = xstrdup("Commit"),
			    .commit_id = xstrdup(d->event.after),
			    .repository_url = xstrdup(d->event.repository_url),
			    .branch = xstrdup(event_short_ref(&d->event)),
			    .provider = xstrdup("Github") },
		.build = { .context = xstrdup("https://github.com/acme/app.git#main:app"),
			   .commit = xstrdup(d->event.after),
			   .ref = xstrdup(d->event.ref),
			   .dockerfile = xstrdup("Dockerfile"),
			   .push = true },
	};
	if (h->order_key) {
		free(run->order_key);
		run->order_key = *h->order_key ? xstrdup(h->order_key) : NULL;
	}
	if (h->secret) {
		run->build.args = xcalloc(1, sizeof *run->build.args);
		run->build.args_len = 1;
		run->build.args[0].name = xstrdup("TOKEN");
		run->build.args[0].is_secret = true;
		secret_set(&run->build.args[0].secret, str_from(h->secret));
	}
}

void make_delivery(struct delivery *d, struct run *run, const struct happening *h)
{
	*d = (struct delivery){
		.webhook = xstrdup(or (h->webhook, "github")),
		.delivery_id = xstrdup(h->id),
		.received_ms = clock_now_ms(),
		.event = { .kind = EVENT_PUSH,
			   .name = xstrdup(or (h->name, "push")),
			   .provider = xstrdup("github"),
			   .repository = xstrdup("github.com/acme/app"),
			   .repository_url = xstrdup("https://github.com/acme/app.git"),
			   .ref = xstrdup(or (h->ref, "refs/heads/main")),
			   .before = commit_id(or (h->before, "0")),
			   .after = commit_id(or (h->after, "A")),
			   .forced = true,
			   .sender = xstrdup("octocat") },
	};
	sha256(d->body_sha256, str_from(or (h->body, h->id)));
	*delivery_add_verdict(d) = (struct verdict){
		.registry = xstrdup("main"),
		.task = xstrdup(or (h->task, "web")),
		.matched = !h->unmatched,
		.reason = xstrdup(h->unmatched ? "the task is disabled" : "push to main"),
	};
	if (!h->unmatched)
		make_run(run, d, h);
}

static void read_delivery(struct answer *a, const struct delivery *d)
{
	strvec_push(&a->names, d->delivery_id);
	strvec_push_all(&a->runs, &d->runs);
	for (size_t i = 0; i < d->verdicts_len; i++) {
		strvec_push(&a->texts, d->verdicts[i].reason);
		strvec_push(&a->others, or (d->verdicts[i].run_id, "-"));
	}
}

void accept_answered(enum accept_outcome outcome, const struct delivery *stored,
		     const struct err *err, void *data)
{
	struct world *w = data;

	answered(w, err);
	w->answer.outcome = outcome;
	if (!err)
		read_delivery(&w->answer, stored);
	else
		assert_null(stored);
}

void receive_async(struct world *w, const struct happening *h)
{
	struct delivery d;
	struct run run = { 0 };

	make_delivery(&d, &run, h);
	w->waiting++;
	queue_accept(w->queue, &d, &run, h->unmatched ? 0 : 1, accept_answered, w);
	assert_null(d.delivery_id); /* taken */
	assert_null(run.registry);
}

void receive(struct world *w, struct happening h)
{
	answer_clear(&w->answer);
	receive_async(w, &h);
	world_wait(w);
}

void push(struct world *w, const char *id, const char *before, const char *after)
{
	receive(w, (struct happening){ .id = id, .before = before, .after = after });
}

/* ---- tasks ---- */

static void on_task(const struct task *task, const struct err *err, void *data)
{
	struct world *w = data;

	answered(w, err);
	w->answer.found = task != NULL;
	if (task)
		strvec_push(&w->answer.names, task->name);
}

void put_task(struct world *w, struct task *task)
{
	begin(w);
	queue_put_task(w->queue, task, on_task, w);
	world_wait(w);
}

void delete_task(struct world *w, const char *registry, const char *name)
{
	begin(w);
	queue_delete_task(w->queue, registry, name, on_task, w);
	world_wait(w);
}

/* ---- runs ---- */

static void read_run(struct answer *a, const struct run *run)
{
	a->found = true;
	strvec_push(&a->runs, run->id);
	a->status = run->status;
	a->attempt = run->attempt;
	a->seq = run->seq;
	a->error_code = xstrdup(run->error_code);
	a->error_message = xstrdup(run->error_message);
	a->commit = xstrdup(run->commit);
	a->context = xstrdup(run->build.context);
	a->platform = platform_text(&run->build.platform);
	a->archived = run->archive_enabled;
	a->steps = run->steps_len;
	a->images = run->images_len;
	if (run->build.args_len && secret_is_set(&run->build.args[0].secret))
		a->secret = xstrdup(secret_reveal(&run->build.args[0].secret));
}

/* Releases what the answer has of an earlier run, so that the last of several counts. */
static void read_last_run(struct answer *a, const struct run *run)
{
	struct strvec runs = a->runs;
	bool more = a->more;

	a->runs = (struct strvec){ 0 };
	answer_clear(a);
	a->runs = runs;
	a->more = more;
	read_run(a, run);
}

static void on_run_answer(const struct run *run, const struct err *err, void *data)
{
	struct world *w = data;

	answered(w, err);
	if (run)
		read_run(&w->answer, run);
}

static void on_applied(bool applied, const struct err *err, void *data)
{
	struct world *w = data;

	answered(w, err);
	w->answer.applied = applied;
}

void submit_run(struct world *w, struct run *run)
{
	begin(w);
	queue_submit(w->queue, run, on_run_answer, w);
	world_wait(w);
}

void submit(struct world *w, const char *order_key)
{
	struct run run = {
		.registry = xstrdup("main"),
		.type = RUN_QUICK_BUILD,
		.order_key = xstrdup(order_key),
		.build = { .context = xstrdup("/dev/null"), .dockerfile = xstrdup("Dockerfile") },
	};
	submit_run(w, &run);
}

const char *claim(struct world *w)
{
	begin(w);
	queue_claim(w->queue, on_run_answer, w);
	world_wait(w);
	return w->answer.runs.len ? w->answer.runs.items[0] : NULL;
}

bool progress(struct world *w, const char *id, int attempt, const struct run *record)
{
	begin(w);
	queue_progress(w->queue, id, attempt, record, on_applied, w);
	world_wait(w);
	return w->answer.applied;
}

bool grant(struct world *w, const char *id, int attempt)
{
	begin(w);
	queue_grant_push(w->queue, id, attempt, on_applied, w);
	world_wait(w);
	return w->answer.applied;
}

bool finish_with(struct world *w, const char *id, int attempt, const struct run *result)
{
	begin(w);
	queue_finish(w->queue, id, attempt, result, on_applied, w);
	world_wait(w);
	return w->answer.applied;
}

bool finish(struct world *w, const char *id, int attempt, enum run_status status)
{
	return finish_with(w, id, attempt, &(struct run){ .status = status });
}

void lost(struct world *w, const char *id, int attempt, const char *why)
{
	begin(w);
	queue_lost(w->queue, id, attempt, why, on_run_answer, w);
	world_wait(w);
}

static void on_filled(const struct run *run, const struct err *err, void *data)
{
	(void)run;
	answered(data, err);
}

void fill(struct world *w, int runs, const char *order_key)
{
	for (int i = 0; i < runs; i++) {
		struct run run = { .registry = xstrdup("main"),
				   .order_key = xstrdup(order_key),
				   .build = { .dockerfile = xstrdup("Dockerfile") } };
		w->waiting++;
		queue_submit(w->queue, &run, on_filled, w);
	}
	world_wait(w);
	strvec_release(&w->news);
}

static const char *const outcomes[] = {
	[CANCEL_DONE] = "done",   [CANCEL_ACCEPTED] = "accepted", [CANCEL_ALREADY] = "already",
	[CANCEL_ENDED] = "ended", [CANCEL_UNKNOWN] = "unknown",
};

static void on_canceled(const struct cancel_result *results, size_t len, const struct err *err,
			void *data)
{
	struct world *w = data;

	answered(w, err);
	for (size_t i = 0; i < len; i++) {
		strvec_push(&w->answer.runs, results[i].run_id);
		strvec_push(&w->answer.texts, outcomes[results[i].outcome]);
		w->answer.status = results[i].status;
		w->answer.applied = results[i].outcome == CANCEL_DONE;
	}
}

enum cancel_outcome cancel(struct world *w, const char *id)
{
	begin(w);
	queue_cancel(w->queue, "main", &id, 1, on_canceled, w);
	world_wait(w);
	assert_int_equal(w->answer.texts.len, 1);
	for (enum cancel_outcome o = CANCEL_DONE; o <= CANCEL_UNKNOWN; o++)
		if (strcmp(outcomes[o], w->answer.texts.items[0]) == 0)
			return o;
	fail();
	return CANCEL_UNKNOWN;
}

void cancel_ids(struct world *w, const char *const *batch, size_t len)
{
	begin(w);
	queue_cancel(w->queue, "main", batch, len, on_canceled, w);
	world_wait(w);
}

void cancel_all(struct world *w, const char *text, bool dry_run)
{
	struct filter *filter = NULL;
	struct err err;

	if (text)
		assert_works(filter_parse(&filter, str_from(text), &err));
	begin(w);
	queue_cancel_matching(w->queue, "main", filter, dry_run, on_canceled, w);
	filter_destroy(filter);
	world_wait(w);
}

void get(struct world *w, const char *id)
{
	begin(w);
	queue_get_run(w->queue, "main", id, on_run_answer, w);
	world_wait(w);
}

enum run_status status_of(struct world *w, const char *id)
{
	get(w, id);
	assert_true(w->answer.found);
	return w->answer.status;
}

static void on_listed(const struct run *runs, size_t len, bool more, const struct err *err,
		      void *data)
{
	struct world *w = data;

	answered(w, err);
	w->answer.more = more;
	for (size_t i = 0; i < len; i++)
		read_last_run(&w->answer, &runs[i]);
}

void list(struct world *w, const char *text, int64_t before_seq, size_t top)
{
	struct filter *filter = NULL;
	struct err err;

	if (text)
		assert_works(filter_parse(&filter, str_from(text), &err));
	begin(w);
	queue_list_runs(w->queue, "main", filter, before_seq, top, on_listed, w);
	filter_destroy(filter);
	world_wait(w);
}

void list_unfinished(struct world *w)
{
	begin(w);
	queue_unfinished(w->queue, on_listed, w);
	world_wait(w);
}

static void on_deliveries(const struct delivery *deliveries, size_t len, const struct err *err,
			  void *data)
{
	struct world *w = data;

	answered(w, err);
	for (size_t i = 0; i < len; i++)
		read_delivery(&w->answer, &deliveries[i]);
}

void list_deliveries(struct world *w, const char *id)
{
	begin(w);
	if (id)
		queue_get_delivery(w->queue, id, on_deliveries, w);
	else
		queue_list_deliveries(w->queue, 50, on_deliveries, w);
	world_wait(w);
}

void archive(struct world *w, const char *id, bool archived)
{
	begin(w);
	queue_set_archived(w->queue, "main", id, archived, on_run_answer, w);
	world_wait(w);
}

static void on_collected(const char *const *names, size_t len, const struct err *err, void *data)
{
	struct world *w = data;

	answered(w, err);
	for (size_t i = 0; i < len; i++)
		strvec_push(&w->answer.runs, names[i]);
}

void collect(struct world *w, int64_t runs_before_ms, int64_t deliveries_before_ms)
{
	begin(w);
	queue_collect(w->queue, runs_before_ms, deliveries_before_ms, on_collected, w);
	world_wait(w);
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

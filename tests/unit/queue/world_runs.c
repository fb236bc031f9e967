/* A run's life, the controls, and looking. */
#include "tests/unit/queue/world.h"

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

	answer_came(w, err);
	if (run)
		read_run(&w->answer, run);
}

static void on_applied(bool applied, const struct err *err, void *data)
{
	struct world *w = data;

	answer_came(w, err);
	w->answer.applied = applied;
}

void submit_run(struct world *w, struct run *run)
{
	answer_begin(w);
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
	answer_begin(w);
	queue_claim(w->queue, on_run_answer, w);
	world_wait(w);
	return w->answer.runs.len ? w->answer.runs.items[0] : NULL;
}

bool progress(struct world *w, const char *id, int attempt, const struct run *record)
{
	answer_begin(w);
	queue_progress(w->queue, id, attempt, record, on_applied, w);
	world_wait(w);
	return w->answer.applied;
}

bool grant(struct world *w, const char *id, int attempt)
{
	answer_begin(w);
	queue_grant_push(w->queue, id, attempt, on_applied, w);
	world_wait(w);
	return w->answer.applied;
}

bool finish_with(struct world *w, const char *id, int attempt, const struct run *result)
{
	answer_begin(w);
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
	answer_begin(w);
	queue_lost(w->queue, id, attempt, why, on_run_answer, w);
	world_wait(w);
}

static void on_filled(const struct run *run, const struct err *err, void *data)
{
	(void)run;
	answer_came(data, err);
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

	answer_came(w, err);
	for (size_t i = 0; i < len; i++) {
		strvec_push(&w->answer.runs, results[i].run_id);
		strvec_push(&w->answer.texts, outcomes[results[i].outcome]);
		w->answer.status = results[i].status;
		w->answer.applied = results[i].outcome == CANCEL_DONE;
	}
}

enum cancel_outcome cancel(struct world *w, const char *id)
{
	answer_begin(w);
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
	answer_begin(w);
	queue_cancel(w->queue, "main", batch, len, on_canceled, w);
	world_wait(w);
}

void cancel_all(struct world *w, const char *text, bool dry_run)
{
	struct filter *filter = NULL;
	struct err err;

	if (text)
		assert_works(filter_parse(&filter, str_from(text), &err));
	answer_begin(w);
	queue_cancel_matching(w->queue, "main", filter, dry_run, on_canceled, w);
	filter_destroy(filter);
	world_wait(w);
}

void get(struct world *w, const char *id)
{
	answer_begin(w);
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

	answer_came(w, err);
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
	answer_begin(w);
	queue_list_runs(w->queue, "main", filter, before_seq, top, on_listed, w);
	filter_destroy(filter);
	world_wait(w);
}

void list_unfinished(struct world *w)
{
	answer_begin(w);
	queue_unfinished(w->queue, on_listed, w);
	world_wait(w);
}

void archive(struct world *w, const char *id, bool archived)
{
	answer_begin(w);
	queue_set_archived(w->queue, "main", id, archived, on_run_answer, w);
	world_wait(w);
}

static void on_collected(const char *const *names, size_t len, const struct err *err, void *data)
{
	struct world *w = data;

	answer_came(w, err);
	for (size_t i = 0; i < len; i++)
		strvec_push(&w->answer.runs, names[i]);
}

void collect(struct world *w, int64_t runs_before_ms, int64_t deliveries_before_ms)
{
	answer_begin(w);
	queue_collect(w->queue, runs_before_ms, deliveries_before_ms, on_collected, w);
	world_wait(w);
}

/* Cancel in every state, batches of it, archiving, listing, retention. */
#include "tests/unit/queue/world.h"

#include "common/clock.h"
#include "common/scope.h"

static const struct run nothing = { 0 };

/* ---- cancel ---- */

static void queued_run_is_canceled_at_once(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	news(w);
	assert_int_equal(cancel(w, "ca1"), CANCEL_DONE);
	assert_int_equal(w->answer.status, RUN_CANCELED);
	assert_string_equal(news(w), "ca1 Canceled,ready");
	assert_null(claim(w));
	assert_int_equal(status_of(w, "ca1"), RUN_CANCELED);
	assert_string_equal(w->answer.error_code, "canceled");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 0);
	assert_int_equal(queue_counts(w->queue)->oldest_queued_ms, 0);
}

static void claimed_run_is_asked_and_its_runner_told_each_time(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	news(w);
	assert_int_equal(cancel(w, "ca1"), CANCEL_ACCEPTED);
	assert_int_equal(w->answer.status, RUN_STARTED);
	assert_string_equal(news(w), "ca1 Started,cancel ca1");
	progress(w, "ca1", 1, &nothing);
	news(w);
	assert_int_equal(cancel(w, "ca1"), CANCEL_ACCEPTED);
	assert_string_equal(news(w), "ca1 Running,cancel ca1");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_RUNNING], 1);
	assert_true(finish(w, "ca1", 1, RUN_CANCELED));
	assert_int_equal(cancel(w, "ca1"), CANCEL_ALREADY);
}

static void ended_run_is_left_alone(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	finish(w, "ca1", 1, RUN_SUCCEEDED);
	news(w);
	assert_int_equal(cancel(w, "ca1"), CANCEL_ENDED);
	assert_int_equal(w->answer.status, RUN_SUCCEEDED);
	assert_string_equal(news(w), "");
}

static void what_is_not_in_this_registry_is_unknown(void **state)
{
	struct world *w = *state;
	struct run run = { .registry = xstrdup("other"),
			   .build = { .dockerfile = xstrdup("Dockerfile") } };

	submit_run(w, &run);
	assert_string_equal(ids(w), "cb1");
	assert_int_equal(cancel(w, "cb1"), CANCEL_UNKNOWN);
	assert_int_equal(cancel(w, "ca1"), CANCEL_UNKNOWN);
	assert_int_equal(cancel(w, "' OR 1=1; --                              "), CANCEL_UNKNOWN);
}

static void batch_has_one_result_for_each_distinct_id(void **state)
{
	struct world *w = *state;
	const char *batch[] = { "ca2", "ca1", "ca2", "ca9", "ca1", "ca2", "ca3" };

	for (int i = 0; i < 3; i++)
		submit(w, NULL);
	claim(w);
	cancel_ids(w, batch, ARRAY_LEN(batch));

	assert_string_equal(ids(w), "ca2 ca1 ca9 ca3");
	assert_string_equal(w->answer.texts.items[0], "done");
	assert_string_equal(w->answer.texts.items[1], "accepted");
	assert_string_equal(w->answer.texts.items[2], "unknown");
	assert_string_equal(w->answer.texts.items[3], "done");
	cancel_ids(w, NULL, 0);
	assert_false(w->answer.failed);
	assert_int_equal(w->answer.runs.len, 0);
}

static void batch_of_too_many_is_refused_whole(void **state)
{
	struct world *w = *state;
	const char *batch[1001];

	submit(w, NULL);
	for (size_t i = 0; i < ARRAY_LEN(batch); i++)
		batch[i] = "ca1";
	cancel_ids(w, batch, ARRAY_LEN(batch));
	assert_int_equal(w->answer.err.code, ERR_LIMIT);
	assert_int_equal(status_of(w, "ca1"), RUN_QUEUED);
	cancel_ids(w, batch, 1000);
	assert_string_equal(ids(w), "ca1");
	assert_int_equal(status_of(w, "ca1"), RUN_CANCELED);
}

static void filter_chooses_what_is_canceled(void **state)
{
	struct world *w = *state;

	push(w, "d1", "0", "A");
	push(w, "d2", "A", "B");
	submit(w, NULL);
	claim(w); /* ca1 */
	news(w);
	cancel_all(w, "TaskName eq 'WEB'", true);
	assert_string_equal(ids(w), "ca2 ca1");
	assert_string_equal(w->answer.texts.items[0], "done");
	assert_string_equal(w->answer.texts.items[1], "accepted");
	assert_string_equal(news(w), "");
	assert_int_equal(status_of(w, "ca2"), RUN_QUEUED);

	cancel_all(w, "TaskName eq 'web' and Status eq 'Queued'", false);
	assert_string_equal(ids(w), "ca2");
	cancel_all(w, NULL, false);
	assert_string_equal(ids(w), "ca3 ca1");
	cancel_all(w, "Status eq 'Canceled'", false);
	assert_int_equal(w->answer.runs.len, 0);
}

static void thousand_queued_of_one_key_are_canceled_at_a_time(void **state)
{
	struct world *w = *state;

	fill(w, 1100, "k");
	cancel_all(w, NULL, false);
	assert_int_equal(w->answer.runs.len, 1000);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 100);
	assert_string_equal(claim(w), "ca1");
	cancel_all(w, NULL, false);
	assert_int_equal(w->answer.runs.len, 100);
}

/* ---- listing ---- */

static void pages_go_from_the_newest_without_gaps(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 5; i++)
		submit(w, NULL);
	list(w, NULL, 0, 2);
	assert_string_equal(ids(w), "ca5 ca4");
	assert_true(w->answer.more);
	int64_t before_seq = w->answer.seq;
	submit(w, NULL); /* a newcomer does not move the pages */
	list(w, NULL, before_seq, 2);
	assert_string_equal(ids(w), "ca3 ca2");
	list(w, NULL, w->answer.seq, 2);
	assert_string_equal(ids(w), "ca1");
	assert_false(w->answer.more);
}

static const struct {
	const char *filter, *expected;
} filters[] = {
	{ "RunId eq 'ca2'", "ca2" },
	{ "RunId ne 'ca2'", "ca4 ca3 ca1" },
	{ "RunType eq 'QuickBuild'", "ca4" },
	{ "Status eq 'Succeeded'", "ca1" },
	{ "Status ne 'Queued'", "ca2 ca1" },
	{ "TaskName eq 'Web'", "ca2 ca1" },
	{ "TaskName ne 'web'", "ca4 ca3" },
	{ "BranchName eq 'main'", "ca3 ca2 ca1" },
	{ "IsArchiveEnabled eq true", "ca3" },
	{ "CreateTime gt 2020-01-01", "ca4 ca3 ca2 ca1" },
	{ "CreateTime lt 2020-01-01", "" },
	{ "FinishTime gt 2020-01-01", "ca1" },
	{ "FinishTime lt 2999-01-01", "ca1" },
	{ "contains(OutputImageManifests, 'team/app@sha256:abc')", "ca1" },
	{ "contains(OutputImageManifests, '%')", "" },
	{ "TaskName eq 'web' and (Status eq 'Running' or Status eq 'Started')", "ca2" },
	{ "TaskName eq 'api' or RunId eq 'ca1'", "ca3 ca1" },
	{ "TaskName eq ''' OR 1=1 --'", "" },
};

static void filters_select(void **state)
{
	struct world *w = *state;
	struct image image = { .repository = (char[]){ "team/app" },
			       .digest = (char[]){ "sha256:abc" } };
	struct run result = { .status = RUN_SUCCEEDED, .images = &image, .images_len = 1 };

	receive(w, (struct happening){ .id = "d1", .after = "A", .order_key = "" });
	receive(w, (struct happening){ .id = "d2", .after = "B", .order_key = "" });
	receive(w, (struct happening){ .id = "d3", .after = "C", .order_key = "", .task = "api" });
	submit(w, NULL);
	claim(w);
	finish_with(w, "ca1", 1, &result);
	claim(w);
	progress(w, "ca2", 1, &nothing);
	archive(w, "ca3", true);

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		list(w, filters[i].filter, 0, 50);
		if (strcmp(ids(w), filters[i].expected) != 0)
			fail_msg("%s: %s, want %s", filters[i].filter, ids(w), filters[i].expected);
	}
}

static void platform_is_listed_and_the_whole_build_is_shown(void **state)
{
	struct world *w = *state;
	struct run run = { .registry = xstrdup("main"),
			   .build = { .context = xstrdup("/dev/null"),
				      .dockerfile = xstrdup("Dockerfile") } };
	struct err err;

	assert_works(platform_parse(&run.build.platform, STR("linux/arm64/v8"), &err));
	submit_run(w, &run);
	list(w, NULL, 0, 1);
	assert_string_equal(w->answer.platform, "linux/arm64/v8");
	assert_null(w->answer.context);
	get(w, "ca1");
	assert_string_equal(w->answer.platform, "linux/arm64/v8");
	assert_string_equal(w->answer.context, "/dev/null");
}

static void listings_use_an_index(void **state)
{
	static const char *const pages[] = {
		"registry = 'main' AND seq < 9",
		"registry = 'main' AND task = 'web' AND seq < 9",
		"registry = 'main' AND status = 4 AND seq < 9",
		"registry = 'main' AND task = 'web' AND status = 4 AND seq < 9",
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		cleanup_free char *sql = xasprintf(
			"EXPLAIN QUERY PLAN SELECT id FROM run WHERE %s ORDER BY seq DESC LIMIT 50",
			pages[i]);
		cleanup_free char *plan = sql_plan(w, sql);
		assert_has(plan, "SEARCH run USING");
		assert_null(strstr(plan, "TEMP B-TREE"));
	}
}

/* ---- archive and retention ---- */

static void archiving_is_remembered(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	archive(w, "ca1", true);
	assert_true(w->answer.archived);
	world_reopen(w);
	get(w, "ca1");
	assert_true(w->answer.archived);
	archive(w, "ca1", false);
	assert_false(w->answer.archived);
	archive(w, "ca7", true);
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
}

static void only_old_ended_unarchived_runs_are_forgotten(void **state)
{
	struct world *w = *state;
	int64_t later = clock_now_ms() + 1000;

	for (int i = 0; i < 4; i++)
		submit(w, NULL);
	for (int i = 0; i < 3; i++)
		claim(w);
	finish(w, "ca1", 1, RUN_SUCCEEDED);
	finish(w, "ca2", 1, RUN_FAILED);
	archive(w, "ca2", true);

	collect(w, 1000, 1000);
	assert_string_equal(ids(w), "");
	collect(w, later, later);
	assert_string_equal(ids(w), "ca1");
	list(w, NULL, 0, 50);
	assert_string_equal(ids(w), "ca4 ca3 ca2");
}

static void forgotten_run_is_repeated_by_nothing(void **state)
{
	struct world *w = *state;
	int64_t later = clock_now_ms() + 1000;

	push(w, "d1", "A", "B");
	claim(w);
	finish(w, "ca1", 1, RUN_SUCCEEDED);
	collect(w, later, 0);
	push(w, "d1", "A", "B");
	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN); /* deliveries are kept longer */
	push(w, "d2", "A", "B");
	assert_string_equal(ids(w), "ca2");
}

static void forgotten_delivery_is_news_again(void **state)
{
	struct world *w = *state;
	int64_t later = clock_now_ms() + 1000;

	receive(w, (struct happening){ .id = "d1", .unmatched = true });
	collect(w, 0, later);
	list_deliveries(w, NULL);
	assert_int_equal(w->answer.names.len, 0);
	receive(w, (struct happening){ .id = "d1", .unmatched = true });
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
}

static void collecting_is_bounded(void **state)
{
	struct world *w = *state;

	fill(w, 510, NULL);
	cancel_all(w, NULL, false);
	collect(w, clock_now_ms() + 1000, 0);
	assert_int_equal(w->answer.runs.len, 500);
	collect(w, clock_now_ms() + 1000, 0);
	assert_int_equal(w->answer.runs.len, 10);
}

/* ---- deliveries ---- */

static void deliveries_are_listed_newest_first_and_found_by_id(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	receive(w, (struct happening){ .id = "d2", .unmatched = true });
	receive(w, (struct happening){ .id = "d1", .after = "C", .webhook = "mirror" });
	list_deliveries(w, NULL);
	assert_int_equal(w->answer.names.len, 3);
	assert_string_equal(w->answer.names.items[0], "d1");
	assert_string_equal(w->answer.names.items[1], "d2");
	list_deliveries(w, "d1");
	assert_int_equal(w->answer.names.len, 2);
	assert_string_equal(ids(w), "ca2 ca1");
	list_deliveries(w, "d9");
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(queued_run_is_canceled_at_once),
		T(claimed_run_is_asked_and_its_runner_told_each_time),
		T(ended_run_is_left_alone),
		T(what_is_not_in_this_registry_is_unknown),
		T(batch_has_one_result_for_each_distinct_id),
		T(batch_of_too_many_is_refused_whole),
		T(filter_chooses_what_is_canceled),
		T(thousand_queued_of_one_key_are_canceled_at_a_time),
		T(pages_go_from_the_newest_without_gaps),
		T(filters_select),
		T(platform_is_listed_and_the_whole_build_is_shown),
		T(listings_use_an_index),
		T(archiving_is_remembered),
		T(only_old_ended_unarchived_runs_are_forgotten),
		T(forgotten_run_is_repeated_by_nothing),
		T(forgotten_delivery_is_news_again),
		T(collecting_is_bounded),
		T(deliveries_are_listed_newest_first_and_found_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/queue/world.h"

static void delivery_makes_a_run_and_answers_after_the_commit(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");

	assert_false(w->answer.failed);
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(ids(w), "ca1");
	assert_string_equal(w->answer.others.items[0], "ca1");
	assert_string_equal(news(w), "ca1 Queued,ready");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM run WHERE id = 'ca1'"), 1);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 1);
	assert_int_not_equal(queue_counts(w->queue)->oldest_queued_ms, 0);
}

static void redelivery_answers_with_the_same_run(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	push(w, "d1", "A", "B");

	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(ids(w), "ca1");
	assert_string_equal(w->answer.texts.items[0], "push to main");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 1);
}

static void redelivery_is_known_after_a_restart(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	world_reopen(w);
	push(w, "d1", "A", "B");

	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(ids(w), "ca1");
}

static void same_body_under_another_id_is_the_same_delivery(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .body = "text" });
	receive(w, (struct happening){ .id = "d2", .body = "text" });

	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(w->answer.names.items[0], "d1");
	assert_string_equal(ids(w), "ca1");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery"), 1);
}

static void same_body_on_another_webhook_is_another_delivery(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .body = "text", .after = "A" });
	receive(w, (struct happening){
			   .id = "d1", .body = "text", .after = "B", .webhook = "mirror" });

	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(ids(w), "ca2");
}

static void known_id_with_another_body_is_a_conflict(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .body = "text" });
	receive(w, (struct happening){ .id = "d1", .body = "other", .after = "C" });

	assert_true(w->answer.failed);
	assert_int_equal(w->answer.err.code, ERR_CONFLICT);
	assert_string_equal(w->answer.err.word, "delivery_conflict");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 1);
}

static void copies_that_arrive_together_make_one_run(void **state)
{
	struct world *w = *state;
	struct happening same = { .id = "d1", .before = "A", .after = "B" };

	answer_clear(&w->answer);
	for (int i = 0; i < 64; i++)
		receive_async(w, &same);
	world_wait(w);

	assert_int_equal(w->answer.runs.len, 64);
	for (int i = 0; i < 64; i++)
		assert_string_equal(w->answer.runs.items[i], "ca1");
	assert_string_equal(news(w), "ca1 Queued,ready");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM run"), 1);
	assert_int_equal(sql_number(w, "SELECT runs FROM registry WHERE name = 'main'"), 1);
}

static void force_push_back_and_forth_is_three_events(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	push(w, "d2", "B", "A");
	push(w, "d3", "A", "B");

	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(ids(w), "ca3");
}

static void repeated_event_names_the_run_that_it_repeats(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	push(w, "d2", "A", "B"); /* another id, another body, the same move */

	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_int_equal(w->answer.runs.len, 0);
	assert_string_equal(w->answer.others.items[0], "ca1");
	assert_has(w->answer.texts.items[0], "repeats");
	push(w, "d2", "A", "B");
	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(w->answer.others.items[0], "ca1");
}

static void only_equal_events_of_one_ref_and_task_repeat(void **state)
{
	struct world *w = *state;
	struct happening first = { .id = "d1", .before = "A", .after = "B" };
	struct happening others[] = { first, first, first };

	others[0].ref = "refs/heads/release";
	others[1].task = "api";
	others[2].name = "pull_request";
	receive(w, first);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char id[] = { 'e', (char)('0' + i), 0 };
		others[i].id = id;
		receive(w, others[i]);
		assert_int_equal(w->answer.runs.len, 1);
	}
}

static void event_that_made_no_run_ends_the_repetition(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	receive(w,
		(struct happening){ .id = "d2", .before = "B", .after = "0", .unmatched = true });
	assert_int_equal(w->answer.runs.len, 0);
	push(w, "d3", "A", "B"); /* the branch was deleted in between: this is news */

	assert_string_equal(ids(w), "ca2");
}

static void delivery_without_runs_is_kept_with_its_verdict(void **state)
{
	struct world *w = *state;
	struct happening h = { .id = "d1", .unmatched = true };

	receive(w, h);
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(news(w), "");
	receive(w, h);

	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(w->answer.texts.items[0], "the task is disabled");
}

static void hostile_text_is_only_text(void **state)
{
	struct world *w = *state;
	const char *evil = "' OR 1=1--\"; DROP TABLE run;";

	push(w, "d1", "A", "B");
	receive(w, (struct happening){ .id = evil, .ref = evil, .before = evil, .after = "Z" });
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	receive(w, (struct happening){ .id = evil, .ref = evil, .before = evil, .after = "Z" });

	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(w->answer.names.items[0], evil);
}

static void unknown_registry_undoes_its_own_delivery_only(void **state)
{
	struct world *w = *state;
	struct happening good = { .id = "d1" }, also_good = { .id = "d3", .after = "C" };
	struct delivery d;
	struct run run = { 0 };

	answer_clear(&w->answer);
	receive_async(w, &good);
	make_delivery(&d, &run, &(struct happening){ .id = "d2", .after = "B" });
	free(run.registry);
	run.registry = xstrdup("nowhere");
	w->waiting++;
	queue_accept(w->queue, &d, &run, 1, accept_answered, w);
	receive_async(w, &also_good);
	world_wait(w);

	assert_string_equal(ids(w), "ca1 ca2");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery"), 2);
}

static void ids_count_by_registry_and_survive_restarts(void **state)
{
	struct world *w = *state;
	struct run run = { .registry = xstrdup("other"),
			   .build = { .dockerfile = xstrdup("Dockerfile") } };

	submit(w, NULL);
	submit_run(w, &run);
	assert_string_equal(ids(w), "cb1");
	world_reopen(w);
	for (int i = 2; i <= 36; i++)
		submit(w, NULL);

	assert_string_equal(ids(w), "ca10"); /* base 36 */
	run = (struct run){ .registry = xstrdup("nowhere"),
			    .build = { .dockerfile = xstrdup("Dockerfile") } };
	submit_run(w, &run);
	assert_true(w->answer.failed);
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(delivery_makes_a_run_and_answers_after_the_commit),
		T(redelivery_answers_with_the_same_run),
		T(redelivery_is_known_after_a_restart),
		T(same_body_under_another_id_is_the_same_delivery),
		T(same_body_on_another_webhook_is_another_delivery),
		T(known_id_with_another_body_is_a_conflict),
		T(copies_that_arrive_together_make_one_run),
		T(force_push_back_and_forth_is_three_events),
		T(repeated_event_names_the_run_that_it_repeats),
		T(only_equal_events_of_one_ref_and_task_repeat),
		T(event_that_made_no_run_ends_the_repetition),
		T(delivery_without_runs_is_kept_with_its_verdict),
		T(hostile_text_is_only_text),
		T(unknown_registry_undoes_its_own_delivery_only),
		T(ids_count_by_registry_and_survive_restarts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

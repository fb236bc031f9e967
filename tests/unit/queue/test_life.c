/* A run from the queue to its end, and every refusal on the way. */
#include "tests/unit/queue/world.h"

#include "common/scope.h"

static const struct {
	const char *name;
	enum run_status status;
} ends[] = {
	{ "Succeeded", RUN_SUCCEEDED }, { "Failed", RUN_FAILED },   { "Canceled", RUN_CANCELED },
	{ "Error", RUN_ERROR },         { "Timeout", RUN_TIMEOUT },
};

/* A record with a step, an image and a commit, in the test's memory. */
static struct run_step a_step = { .name = (char[]){ "build" },
				  .status = RUN_RUNNING,
				  .start_ms = 5 };
static struct image an_image = { .registry = (char[]){ "127.0.0.1:5000" },
				 .repository = (char[]){ "team/app" },
				 .tag = (char[]){ "v1" },
				 .digest = (char[]){ "sha256:abc" } };
static const struct run record = { .steps = &a_step, .steps_len = 1 };
static const struct run pushed = { .steps = &a_step,
				   .steps_len = 1,
				   .images = &an_image,
				   .images_len = 1,
				   .commit = (char[]){ "1234" } };

static void claim_takes_the_oldest_and_starts_an_attempt(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	submit(w, NULL);
	news(w);

	assert_string_equal(claim(w), "ca1");
	assert_int_equal(w->answer.status, RUN_STARTED);
	assert_int_equal(w->answer.attempt, 1);
	assert_string_equal(w->answer.context, "/dev/null");
	assert_string_equal(news(w), "ca1 Started");
	assert_string_equal(claim(w), "ca2");
	assert_null(claim(w));
	assert_false(w->answer.failed);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_STARTED], 2);
	assert_int_equal(queue_counts(w->queue)->oldest_queued_ms, 0);
}

static void progress_makes_it_running_and_records(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	assert_true(progress(w, "ca1", 1, &record));
	assert_int_equal(status_of(w, "ca1"), RUN_RUNNING);
	assert_int_equal(w->answer.steps, 1);
	assert_true(progress(w, "ca1", 1, &pushed));
	get(w, "ca1");

	assert_int_equal(w->answer.images, 1);
	assert_string_equal(w->answer.commit, "1234");
	assert_string_equal(news(w), "ca1 Queued,ready,ca1 Started,ca1 Running,ca1 Running");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_RUNNING], 1);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_STARTED], 0);
}

static void finish_ends_it_once_in_each_status(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct run result = pushed;
		result.status = ends[i].status;
		result.error_code = (char[]){ "git_timeout" };
		result.error_message = (char[]){ "why" };
		submit(w, NULL);
		cleanup_free char *id = xstrdup(claim(w));
		assert_true(finish_with(w, id, 1, &result));
		assert_int_equal(status_of(w, id), ends[i].status);
		assert_string_equal(w->answer.error_code, "git_timeout");
		assert_string_equal(w->answer.error_message, "why");
		assert_int_equal(w->answer.images, 1);
		assert_int_equal(queue_counts(w->queue)->runs[ends[i].status], 1);

		assert_false(finish(w, id, 1, RUN_SUCCEEDED));
		assert_false(progress(w, id, 1, &record));
		assert_false(grant(w, id, 1));
		lost(w, id, 1, "late");
		assert_int_equal(w->answer.status, ends[i].status);
		assert_int_equal(status_of(w, id), ends[i].status);
	}
	assert_int_equal(queue_counts(w->queue)->runs[RUN_STARTED], 0);
}

static void stale_attempt_changes_nothing(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	lost(w, "ca1", 1, "killed");
	claim(w);
	news(w);

	assert_false(progress(w, "ca1", 1, &record));
	assert_false(grant(w, "ca1", 1));
	assert_false(finish(w, "ca1", 1, RUN_FAILED));
	lost(w, "ca1", 1, "killed again");
	assert_string_equal(news(w), "");
	assert_int_equal(w->answer.attempt, 2);
	assert_int_equal(w->answer.status, RUN_STARTED);
	assert_true(finish(w, "ca1", 2, RUN_SUCCEEDED));
}

static void queued_run_is_nobodys(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	assert_false(progress(w, "ca1", 0, &record));
	assert_false(grant(w, "ca1", 0));
	assert_false(finish(w, "ca1", 0, RUN_FAILED));
	lost(w, "ca1", 0, "never was");

	assert_int_equal(w->answer.status, RUN_QUEUED);
	assert_int_equal(status_of(w, "ca1"), RUN_QUEUED);
}

static void unknown_run_is_refused(void **state)
{
	struct world *w = *state;

	assert_false(progress(w, "ca9", 1, &record));
	assert_false(w->answer.failed);
	assert_false(grant(w, "ca9", 1));
	assert_false(finish(w, "ca9", 1, RUN_FAILED));
	lost(w, "ca9", 1, "?");
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
	get(w, "ca9");
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
}

static void lost_run_is_queued_again_until_the_last_attempt(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	progress(w, "ca1", 1, &record);
	news(w);
	lost(w, "ca1", 1, "killed by signal 9");
	assert_int_equal(w->answer.status, RUN_QUEUED);
	assert_has(w->answer.error_message, "killed by signal 9");
	assert_string_equal(news(w), "ca1 Queued,ready");
	assert_int_not_equal(queue_counts(w->queue)->oldest_queued_ms, 0);

	claim(w);
	assert_int_equal(w->answer.attempt, 2);
	assert_int_equal(w->answer.steps, 0);
	assert_null(w->answer.error_message);
	lost(w, "ca1", 2, "killed by signal 9");

	assert_int_equal(w->answer.status, RUN_ERROR);
	assert_string_equal(w->answer.error_code, "runner_lost");
	assert_has(w->answer.error_message, "last attempt");
}

static void lost_run_that_pushed_is_not_tried_again(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	progress(w, "ca1", 1, &pushed);
	lost(w, "ca1", 1, "killed");

	assert_int_equal(w->answer.status, RUN_ERROR);
	assert_string_equal(w->answer.error_code, "runner_lost");
	assert_int_equal(w->answer.images, 1);
}

static void lost_run_that_was_to_be_canceled_is_canceled(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	cancel(w, "ca1");
	lost(w, "ca1", 1, "killed");

	assert_int_equal(w->answer.status, RUN_CANCELED);
	assert_string_equal(w->answer.error_code, "canceled");
	assert_null(claim(w));
}

static void push_is_granted_until_a_cancel(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	claim(w);
	assert_true(grant(w, "ca1", 1));
	progress(w, "ca1", 1, &record);
	assert_true(grant(w, "ca1", 1));
	cancel(w, "ca1");
	assert_false(grant(w, "ca1", 1));
	world_reopen(w);
	assert_false(grant(w, "ca1", 1));
}

static void claimed_runs_are_found_again_after_a_restart(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 4; i++)
		submit(w, NULL);
	for (int i = 0; i < 3; i++)
		claim(w);
	progress(w, "ca2", 1, &record);
	finish(w, "ca3", 1, RUN_SUCCEEDED);
	world_reopen(w);

	list_unfinished(w);
	assert_string_equal(ids(w), "ca1 ca2");
	assert_string_equal(w->answer.context, "/dev/null");
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 1);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_STARTED], 1);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_RUNNING], 1);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_SUCCEEDED], 0);
	assert_int_not_equal(queue_counts(w->queue)->oldest_queued_ms, 0);
	assert_true(finish(w, "ca2", 1, RUN_FAILED));
}

/* ---- order ---- */

static void elder_of_the_same_key_goes_first(void **state)
{
	struct world *w = *state;

	submit(w, "web/main");  /* ca1 */
	submit(w, "web/main");  /* ca2 waits for ca1 */
	submit(w, "web/other"); /* ca3 */
	submit(w, NULL);        /* ca4 */
	submit(w, "web/main");  /* ca5 waits for ca2 */

	assert_string_equal(claim(w), "ca1");
	assert_string_equal(claim(w), "ca3");
	assert_string_equal(claim(w), "ca4");
	assert_null(claim(w));
	news(w);
	finish(w, "ca1", 1, RUN_FAILED);
	assert_string_equal(news(w), "ca1 Failed,ready");
	assert_string_equal(claim(w), "ca2");
	assert_null(claim(w));
}

static void lost_elder_keeps_its_place(void **state)
{
	struct world *w = *state;

	submit(w, "k");
	submit(w, "k");
	claim(w);
	lost(w, "ca1", 1, "killed");
	assert_string_equal(claim(w), "ca1");
	assert_null(claim(w));
	lost(w, "ca1", 2, "killed");
	assert_string_equal(claim(w), "ca2");
}

static void canceled_elder_lets_the_next_go(void **state)
{
	struct world *w = *state;

	submit(w, "k");
	submit(w, "k");
	submit(w, "k");
	cancel(w, "ca2"); /* in the middle: ca1 is still first */
	assert_string_equal(claim(w), "ca1");
	assert_null(claim(w));
	cancel(w, "ca1"); /* it runs: the key is taken until it has ended */
	assert_null(claim(w));
	finish(w, "ca1", 1, RUN_CANCELED);
	assert_string_equal(claim(w), "ca3");
}

static void order_holds_over_a_restart_and_for_newcomers(void **state)
{
	struct world *w = *state;

	submit(w, "k");
	claim(w);
	world_reopen(w);
	submit(w, "k");
	assert_null(claim(w));
	finish(w, "ca1", 1, RUN_SUCCEEDED);
	assert_string_equal(claim(w), "ca2");
	finish(w, "ca2", 1, RUN_SUCCEEDED);
	submit(w, "k");
	assert_string_equal(claim(w), "ca3");
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(claim_takes_the_oldest_and_starts_an_attempt),
		T(progress_makes_it_running_and_records),
		T(finish_ends_it_once_in_each_status),
		T(stale_attempt_changes_nothing),
		T(queued_run_is_nobodys),
		T(unknown_run_is_refused),
		T(lost_run_is_queued_again_until_the_last_attempt),
		T(lost_run_that_pushed_is_not_tried_again),
		T(lost_run_that_was_to_be_canceled_is_canceled),
		T(push_is_granted_until_a_cancel),
		T(claimed_runs_are_found_again_after_a_restart),
		T(elder_of_the_same_key_goes_first),
		T(lost_elder_keeps_its_place),
		T(canceled_elder_lets_the_next_go),
		T(order_holds_over_a_restart_and_for_newcomers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

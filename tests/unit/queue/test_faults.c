/* A disk that is full or broken: the answer is 503's, nothing acknowledged is lost, and it heals.
 */
#include "tests/unit/queue/world.h"
#include "tests/unit/store/faults.h"

#include "common/scope.h"

static int setup(void **state)
{
	faults_install();
	return world_setup(state);
}

static int teardown(void **state)
{
	faults_clear();
	int rc = world_teardown(state);
	faults_uninstall();
	return rc;
}

static void assert_unavailable(const struct world *w, const char *word)
{
	assert_true(w->answer.failed);
	assert_int_equal(w->answer.err.code, ERR_UNAVAILABLE);
	assert_string_equal(w->answer.err.word, word);
}

static void assert_integrity(struct world *w)
{
	cleanup_free char *integrity = sql_text(w, "PRAGMA integrity_check");
	assert_string_equal(integrity, "ok");
}

static void full_disk_is_said_and_passes(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	faults_fail(FAULT_FULL, 1, FAULTS_FOREVER);
	for (int i = 0; i < 3; i++) {
		push(w, "d2", "B", "C");
		assert_unavailable(w, "disk_full");
	}
	assert_int_equal(status_of(w, "ca1"), RUN_QUEUED); /* looking still works */
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], 1);
	faults_clear();

	push(w, "d2", "B", "C");
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(ids(w), "ca2");
	assert_integrity(w);
}

static void failed_fsync_is_not_tried_on_the_same_connection(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	int opens = faults_opens();
	faults_fail(FAULT_SYNC, 1, 1);
	push(w, "d2", "B", "C");
	assert_unavailable(w, "storage");
	assert_int_equal(faults_opens(), opens);
	push(w, "d2", "B", "C");

	assert_false(w->answer.failed);
	assert_int_equal(faults_opens(), opens + 1);
	assert_string_equal(ids(w), "ca2");
	assert_integrity(w);
}

static void whole_group_fails_with_its_commit(void **state)
{
	struct world *w = *state;
	struct happening first = { .id = "d1", .after = "A" },
			 second = { .id = "d2", .after = "B" },
			 third = { .id = "d3", .after = "C" };

	answer_clear(&w->answer);
	faults_fail(FAULT_WRITE, 1, FAULTS_FOREVER);
	receive_async(w, &first);
	receive_async(w, &second);
	receive_async(w, &third);
	world_wait(w);
	assert_int_equal(w->answer.runs.len, 0);
	assert_unavailable(w, "storage");
	faults_clear();
	assert_string_equal(news(w), "");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery"), 0);

	receive(w, first);
	assert_string_equal(ids(w), "ca1");
}

static void file_that_another_program_holds_is_said(void **state)
{
	struct world *w = *state;

	faults_fail(FAULT_LOCK, 1, FAULTS_FOREVER);
	push(w, "d1", "A", "B");
	assert_unavailable(w, "storage");
	assert_has(w->answer.err.msg, "locked by another program");
	faults_clear();
	push(w, "d1", "A", "B");
	assert_string_equal(ids(w), "ca1");
}

static void claim_that_could_not_be_stored_did_not_happen(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	news(w);
	faults_fail(FAULT_FULL, 1, 1);
	assert_null(claim(w));
	assert_unavailable(w, "disk_full");
	assert_string_equal(news(w), "");
	assert_string_equal(claim(w), "ca1");
	assert_int_equal(w->answer.attempt, 1);
	faults_fail(FAULT_SYNC, 1, 1);
	assert_false(finish(w, "ca1", 1, RUN_SUCCEEDED));
	assert_unavailable(w, "storage");
	assert_int_equal(status_of(w, "ca1"), RUN_STARTED);
	assert_true(finish(w, "ca1", 1, RUN_SUCCEEDED));
}

static void reader_heals_too(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	faults_fail(FAULT_READ, 1, FAULTS_FOREVER);
	get(w, "ca1"); /* the pages may be in its cache: then nothing is read */
	faults_clear();
	assert_int_equal(status_of(w, "ca1"), RUN_QUEUED);
}

/* Fail the n-th call of any kind, for every n: whatever is acknowledged stays. */
static void nth_failure_loses_nothing(void **state)
{
	struct world *w = *state;
	cleanup_strvec struct strvec acknowledged = { 0 };
	int number = 0, failed = 0;

	for (int n = 1; n <= 40; n++) {
		world_reopen(w);
		faults_fail(FAULT_ANY, n, 1 + n % 3);
		for (int i = 0; i < 4; i++) {
			cleanup_free char *id = xasprintf("d%d", number++);
			push(w, id, "0", id);
			if (w->answer.failed)
				assert_int_equal(w->answer.err.code, ERR_UNAVAILABLE);
			else
				strvec_push(&acknowledged, id);
		}
		failed += faults_hit() > 0;
		faults_clear();
	}
	world_reopen(w);
	assert_true(failed > 10);
	STRVEC_FOREACH (id, &acknowledged) {
		push(w, *id, "0", *id);
		assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	}
	assert_integrity(w);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM run"),
			 sql_number(w, "SELECT count(*) FROM delivery"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(full_disk_is_said_and_passes),
		T(failed_fsync_is_not_tried_on_the_same_connection),
		T(whole_group_fails_with_its_commit),
		T(file_that_another_program_holds_is_said),
		T(claim_that_could_not_be_stored_did_not_happen),
		T(reader_heals_too),
		T(nth_failure_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

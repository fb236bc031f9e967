/* The launcher with a real queue and a fake runner: each end that a run can have. */
#include <signal.h>
#include <sys/wait.h>

#include "common/scope.h"
#include "tests/unit/folder.h"
#include "tests/unit/launch/world.h"

static void assert_run(struct world *w, const char *id, enum run_status status, int attempt,
		       const char *error_code)
{
	struct run run;

	world_wait_status(w, id, status);
	world_get(w, id, &run);
	assert_int_equal(run.attempt, attempt);
	if (error_code)
		assert_string_equal(run.error_code, error_code);
	else
		assert_null(run.error_code);
	run_release(&run);
}

static void assert_swept(struct world *w, const char *wanted)
{
	cleanup_free char *swept = world_read(w, "swept");
	assert_string_equal(swept, wanted);
}

/* ---- ends ---- */

static void result_line_ends_the_run(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];
	struct run run;

	world_submit(w, id,
		     "started; step fetch Running; commit 0123456789012345678901234567890123456789;"
		     "step fetch Succeeded; image team/app:1; log hello; result Succeeded");
	world_wait_status(w, id, RUN_SUCCEEDED);
	world_get(w, id, &run);
	assert_int_equal(run.attempt, 1);
	assert_string_equal(run.commit, "0123456789012345678901234567890123456789");
	assert_int_equal(run.steps_len, 1);
	assert_int_equal(run.steps[0].status, RUN_SUCCEEDED);
	assert_int_equal(run.images_len, 1);
	assert_string_equal(run.images[0].repository, "team/app");
	assert_true(w->progress > 0);
	assert_false(world_has_file(w, "swept"));
	run_release(&run);
	world_close(w);
}

static void failure_keeps_its_word(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; result Failed build_failed");
	assert_run(w, id, RUN_FAILED, 1, "build_failed");
	world_close(w);
}

static void crash_is_swept_and_tried_again_until_the_last_attempt(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; crash");
	assert_run(w, id, RUN_ERROR, 2, "runner_lost");
	cleanup_free char *swept = xasprintf("%s\n%s\n", id, id);
	assert_swept(w, swept);
	world_close(w);
}

static void exit_without_a_result_line_is_a_crash_whatever_its_status(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; exit 0");
	assert_run(w, id, RUN_ERROR, 2, "runner_lost");
	world_close(w);
}

static void result_counts_whatever_the_exit_status(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; result Succeeded; exit 7");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
}

/* ---- places ---- */

static void run_waits_for_a_free_place(void **state)
{
	struct world *w = world_open(*state, 1);
	char first[RUN_ID_BYTES], second[RUN_ID_BYTES];
	struct run run;

	world_submit(w, first, "started; touch up; wait go; result Succeeded");
	world_wait_file(w, "up");
	world_submit(w, second, "started; result Succeeded");
	world_idle(w, 100);
	world_get(w, second, &run);
	assert_int_equal(run.status, RUN_QUEUED);
	run_release(&run);
	world_touch(w, "go");
	world_wait_status(w, first, RUN_SUCCEEDED);
	world_wait_status(w, second, RUN_SUCCEEDED);
	world_close(w);
}

static void runs_go_on_side_by_side(void **state)
{
	struct world *w = world_open(*state, 2);
	char first[RUN_ID_BYTES], second[RUN_ID_BYTES];

	world_submit(w, first, "started; wait second; touch first; result Succeeded");
	world_submit(w, second, "started; touch second; wait first; result Succeeded");
	world_wait_status(w, first, RUN_SUCCEEDED);
	world_wait_status(w, second, RUN_SUCCEEDED);
	/* Each has the file of its own runner, whether that was a spare or not. */
	cleanup_free char *err1 = xasprintf("runs/%s/runner.err", first);
	cleanup_free char *err2 = xasprintf("runs/%s/runner.err", second);
	assert_true(world_has_file(w, err1));
	assert_true(world_has_file(w, err2));
	world_close(w);
}

/* ---- the push fence ---- */

static void push_waits_for_its_grant_and_gets_it(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; push-wanted; image app:1; result Succeeded");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
}

static void canceled_run_gets_no_grant(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id,
		     "started; ignore-term; touch up; wait go; push-wanted; result Succeeded");
	world_wait_file(w, "up");
	world_cancel(w, id);
	world_touch(w, "go");
	world_wait_status(w, id, RUN_CANCELED);
	cleanup_free char *grant = xasprintf("runs/%s/grant", id);
	assert_false(world_has_file(w, grant));
	world_close(w);
}

static void grant_is_given_by_the_next_server(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; touch up; wait go; push-wanted; result Succeeded");
	world_wait_file(w, "up");
	world_restart(w);
	world_touch(w, "go");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
}

/* ---- cancel ---- */

static void cancel_is_obeyed(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; touch up; hang");
	world_wait_file(w, "up");
	world_cancel(w, id);
	world_wait_status(w, id, RUN_CANCELED);
	assert_false(world_has_file(w, "swept"));
	world_close(w);
}

static void runner_that_ignores_sigterm_is_killed_and_swept(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; ignore-term; touch up; hang");
	world_wait_file(w, "up");
	world_cancel(w, id);
	world_wait_status(w, id, RUN_CANCELED);
	cleanup_free char *swept = xasprintf("%s\n", id);
	assert_swept(w, swept);
	world_close(w);
}

/* ---- a server that comes back ---- */

static void runner_is_found_again_after_a_restart(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; touch up; wait go; result Succeeded");
	world_wait_file(w, "up");
	world_restart(w);
	world_touch(w, "go");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
}

static void found_runner_can_be_canceled(void **state)
{
	struct world *w = world_open(*state, 2);
	char id[RUN_ID_BYTES];

	world_submit(w, id, "started; touch up; hang");
	world_wait_file(w, "up");
	world_restart(w);
	world_wait_status(w, id, RUN_RUNNING);
	world_idle(w, 300);
	world_cancel(w, id);
	world_wait_status(w, id, RUN_CANCELED);
	world_close(w);
}

/*
 * A server in a process of its own, which is killed with SIGKILL when the file "up" exists. The
 * run's id is left in the file "id".
 */
static void server_is_killed_while_it_runs(const char *dir, const char *script)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct world *w = world_open(dir, 2);
		char id[RUN_ID_BYTES];
		cleanup_free char *path = fs_join(dir, "id");
		world_submit(w, id, script);
		fs_write_atomic(path, str_from(id), 0600, NULL);
		world_wait_file(w, "up");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void runner_of_a_killed_server_is_found_again(void **state)
{
	server_is_killed_while_it_runs(*state, "started; touch up; wait go; result Succeeded");
	struct world *w = world_open(*state, 2);
	cleanup_free char *id = world_read(w, "id");

	world_touch(w, "go");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
}

static void result_that_was_told_to_nobody_counts(void **state)
{
	server_is_killed_while_it_runs(*state,
				       "started; touch up; wait go; result Succeeded; touch over");
	char *go = folder_file(state, "go", "", 0600), *over = folder_path(state, "over");

	for (int i = 0; i < 20000 && !fs_exists(over); i++)
		usleep(1000);
	struct world *w = world_open(*state, 2);
	cleanup_free char *id = world_read(w, "id");
	assert_run(w, id, RUN_SUCCEEDED, 1, NULL);
	world_close(w);
	free(go);
	free(over);
}

static void runner_that_died_with_its_server_is_tried_again(void **state)
{
	server_is_killed_while_it_runs(*state, "started; touch up; wait go; crash");
	char *go = folder_file(state, "go", "", 0600);
	struct world *w = world_open(*state, 2);
	cleanup_free char *id = world_read(w, "id");

	assert_run(w, id, RUN_ERROR, 2, "runner_lost");
	world_close(w);
	free(go);
}

/* ---- the rest ---- */

static void missing_runner_is_told_at_the_start(void **state)
{
	struct world *w = world_open(*state, 1);
	struct launcher_opts opts = { .runner_path = "/nowhere/slipway-runner",
				      .data_dir = *state };
	struct launcher *l;
	struct err err;

	assert_fails(launcher_create(&l, &w->loop, w->queue, &opts, &err), "runner_missing");
	world_close(w);
}

static void on_probe(const char *lines, const struct err *err, void *data)
{
	if (err)
		fail_msg("%s", err->msg);
	assert_has(lines, "\"engine\"");
	++*(int *)data;
}

static void probes_at_the_same_time_are_one(void **state)
{
	struct world *w = world_open(*state, 1);
	struct spec spec = { .run_id = xstrdup("zz0"), .data_dir = xstrdup(*state) };
	int answers = 0;

	launcher_probe(w->launcher, &spec, on_probe, &answers);
	launcher_probe(w->launcher, &spec, on_probe, &answers);
	for (int i = 0; i < 1000 && answers < 2; i++)
		world_idle(w, 10);
	assert_int_equal(answers, 2);
	spec_release(&spec);
	world_close(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(result_line_ends_the_run),
		TEST(failure_keeps_its_word),
		TEST(crash_is_swept_and_tried_again_until_the_last_attempt),
		TEST(exit_without_a_result_line_is_a_crash_whatever_its_status),
		TEST(result_counts_whatever_the_exit_status),
		TEST(run_waits_for_a_free_place),
		TEST(runs_go_on_side_by_side),
		TEST(push_waits_for_its_grant_and_gets_it),
		TEST(canceled_run_gets_no_grant),
		TEST(grant_is_given_by_the_next_server),
		TEST(cancel_is_obeyed),
		TEST(runner_that_ignores_sigterm_is_killed_and_swept),
		TEST(runner_is_found_again_after_a_restart),
		TEST(found_runner_can_be_canceled),
		TEST(runner_of_a_killed_server_is_found_again),
		TEST(result_that_was_told_to_nobody_counts),
		TEST(runner_that_died_with_its_server_is_tried_again),
		TEST(missing_runner_is_told_at_the_start),
		TEST(probes_at_the_same_time_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

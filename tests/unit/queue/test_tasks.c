/* Tasks on disk and in memory, and what becomes of the secrets of tasks and runs. */
#include "tests/unit/queue/world.h"

#include "common/json.h"
#include "common/scope.h"

static const char canary[] = "canary-5f1e0c2b9d7a4e66";

static void read_task(struct task *task, const char *name, const char *repository,
		      const char *secret)
{
	cleanup_free char *text = xasprintf(
		"{\"location\":\"local\",\"tags\":{\"team\":\"a\"},\"properties\":{\"status\":\"Enabled\","
		"\"platform\":{\"os\":\"linux\"},\"step\":{\"type\":\"Docker\","
		"\"dockerFilePath\":\"Dockerfile\",\"contextPath\":\"%s\",\"contextAccessToken\":\"%s\","
		"\"imageNames\":[\"app:{{.Run.ID}}\"],\"arguments\":["
		"{\"name\":\"TOKEN\",\"value\":\"%s\",\"isSecret\":true}]},"
		"\"trigger\":{\"sourceTriggers\":[{\"name\":\"defaultSourceTriggerName\","
		"\"status\":\"Enabled\",\"sourceTriggerEvents\":[\"commit\"],"
		"\"sourceRepository\":{\"sourceControlType\":\"Github\",\"repositoryUrl\":\"%s\","
		"\"branch\":\"main\",\"sourceControlAuthProperties\":{\"tokenType\":\"PAT\","
		"\"token\":\"%s\"}}}]}}}",
		repository, secret, secret, repository, secret);
	cleanup_json json_t *resource = NULL;
	struct err err;

	assert_works(json_read(&resource, str_from(text), NULL, &err));
	assert_works(task_from_json(task, resource, "main", name, &err));
}

static void put(struct world *w, const char *name, const char *repository)
{
	struct task task = { 0 };

	read_task(&task, name, repository, canary);
	put_task(w, &task);
	assert_null(task.name); /* taken */
	assert_false(w->answer.failed);
}

static const char *followers(struct world *w, const char *repository)
{
	const struct task *const *tasks;
	size_t len = queue_tasks_of_repository(w->queue, repository, &tasks);

	answer_clear(&w->answer);
	for (size_t i = 0; i < len; i++)
		strvec_push(&w->answer.runs, tasks[i]->name);
	return ids(w);
}

static const char *names(struct world *w, const char *registry)
{
	const struct task *const *tasks;
	size_t len = queue_tasks(w->queue, registry, &tasks);

	answer_clear(&w->answer);
	for (size_t i = 0; i < len; i++)
		strvec_push(&w->answer.runs, tasks[i]->name);
	return ids(w);
}

static void task_is_found_by_name_and_by_repository(void **state)
{
	struct world *w = *state;

	put(w, "web", "https://github.com/acme/app.git");
	put(w, "Api", "https://github.com/acme/app");
	put(w, "other", "https://github.com/acme/lib.git");

	assert_string_equal(names(w, "main"), "Api other web");
	assert_string_equal(names(w, NULL), "Api other web");
	assert_string_equal(names(w, "other"), "");
	assert_string_equal(followers(w, "github.com/acme/app"), "Api web");
	assert_string_equal(followers(w, "github.com/acme/lib"), "other");
	assert_string_equal(followers(w, "github.com/acme"), "");
	assert_string_equal(queue_task(w->queue, "main", "WEB")->name, "web");
	assert_null(queue_task(w->queue, "main", "we"));
	assert_null(queue_task(w->queue, "other", "web"));
}

static void tasks_are_there_after_a_restart_with_their_secrets(void **state)
{
	struct world *w = *state;

	put(w, "web", "https://github.com/acme/app.git");
	int64_t created_ms = queue_task(w->queue, "main", "web")->created_ms;
	world_reopen(w);

	const struct task *task = queue_task(w->queue, "main", "web");
	assert_non_null(task);
	assert_int_equal(task->created_ms, created_ms);
	assert_string_equal(secret_reveal(&task->step.context_token), canary);
	assert_string_equal(secret_reveal(&task->step.args[0].secret), canary);
	assert_string_equal(secret_reveal(&task->triggers[0].token), canary);
	assert_string_equal(followers(w, "github.com/acme/app"), "web");
}

static void replacing_keeps_creation_and_spelling(void **state)
{
	struct world *w = *state;

	put(w, "Web", "https://github.com/acme/app.git");
	int64_t created_ms = queue_task(w->queue, "main", "web")->created_ms;
	put(w, "wEB", "https://github.com/acme/lib.git");

	for (int i = 0; i < 2; i++) {
		assert_string_equal(names(w, "main"), "Web");
		assert_int_equal(queue_task(w->queue, "main", "web")->created_ms, created_ms);
		assert_string_equal(followers(w, "github.com/acme/app"), "");
		assert_string_equal(followers(w, "github.com/acme/lib"), "Web");
		world_reopen(w);
	}
}

static void deleted_task_is_gone_and_its_runs_stay(void **state)
{
	struct world *w = *state;

	put(w, "web", "https://github.com/acme/app.git");
	push(w, "d1", "A", "B");
	delete_task(w, "main", "WEB");
	assert_string_equal(w->answer.names.items[0], "web");
	delete_task(w, "main", "web");
	assert_false(w->answer.found);
	assert_false(w->answer.failed);
	assert_string_equal(followers(w, "github.com/acme/app"), "");
	world_reopen(w);
	assert_string_equal(names(w, NULL), "");
	assert_int_equal(status_of(w, "ca1"), RUN_QUEUED);

	push(w, "d2", "A", "B"); /* of a new task of that name: nothing is repeated */
	assert_string_equal(ids(w), "ca2");
}

static void task_of_an_unknown_registry_is_refused(void **state)
{
	struct world *w = *state;
	struct task task = { 0 };

	read_task(&task, "web", "https://github.com/acme/app.git", canary);
	free(task.registry);
	task.registry = xstrdup("nowhere");
	put_task(w, &task);
	assert_int_equal(w->answer.err.code, ERR_NOTFOUND);
}

static void many_tasks_stay_in_order(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 40; i++) {
		cleanup_free char *name = xasprintf("task-%d", (i * 7) % 40);
		cleanup_free char *url = xasprintf("https://github.com/acme/r%d.git", i % 3);
		put(w, name, url);
	}
	for (int i = 0; i < 40; i += 2) {
		cleanup_free char *name = xasprintf("TASK-%d", i);
		delete_task(w, "main", name);
	}
	for (int i = 0; i < 40; i++) {
		cleanup_free char *name = xasprintf("task-%d", i);
		assert_int_equal(queue_task(w->queue, "main", name) != NULL, i % 2);
	}
	const struct task *const *tasks;
	size_t followers = 0;
	for (int i = 0; i < 3; i++) {
		cleanup_free char *repository = xasprintf("github.com/acme/r%d", i);
		followers += queue_tasks_of_repository(w->queue, repository, &tasks);
	}
	assert_int_equal(followers, 20);
	assert_int_equal(queue_tasks(w->queue, NULL, &tasks), 20);
	for (size_t i = 0; i + 1 < 20; i++)
		assert_true(strcmp(tasks[i]->name, tasks[i + 1]->name) < 0);
}

/* ---- secrets ---- */

static void secret_reaches_the_claim_only(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .secret = canary });
	get(w, "ca1");
	assert_null(w->answer.secret);
	claim(w);
	assert_string_equal(w->answer.secret, canary);
	lost(w, "ca1", 1, "killed");
	assert_null(w->answer.secret);
	world_reopen(w);
	claim(w);
	assert_string_equal(w->answer.secret, canary);
}

static void assert_not_in_file(const char *path)
{
	cleanup_buf struct buf bytes = BUF_INIT;
	struct err err;

	if (!fs_exists(path))
		return;
	assert_works(fs_read(&bytes, path, &err));
	assert_true(bytes.len > 0);
	assert_null(memmem(bytes.ptr, bytes.len, canary, strlen(canary)));
}

static void secrets_are_never_in_the_files_in_clear(void **state)
{
	struct world *w = *state;
	cleanup_free char *wal = xasprintf("%s-wal", w->path);

	put(w, "web", "https://github.com/acme/app.git");
	receive(w, (struct happening){ .id = "d1", .secret = canary });
	claim(w);
	assert_true(fs_exists(wal));
	assert_not_in_file(wal);
	assert_not_in_file(w->path);
	finish(w, "ca1", 1, RUN_SUCCEEDED);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM run WHERE sealed IS NOT NULL"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM task WHERE sealed IS NOT NULL"), 1);
	world_close(w);
	assert_not_in_file(w->path);
}

static void run_sealed_with_another_key_ends_and_lets_others_go(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .after = "A", .secret = canary });
	receive(w, (struct happening){ .id = "d2", .after = "B" });
	world_close(w);
	memset(w->key, 'x', sizeof w->key);
	world_reopen(w);
	news(w);

	assert_string_equal(claim(w), "ca2"); /* of the same order key */
	assert_string_equal(news(w), "ca1 Started,ca1 Error,ca2 Started,ready");
	assert_int_equal(status_of(w, "ca1"), RUN_ERROR);
	assert_string_equal(w->answer.error_code, "secret_key");
}

static void task_sealed_with_another_key_is_told_at_the_start(void **state)
{
	struct world *w = *state;
	struct err err;

	put(w, "web", "https://github.com/acme/app.git");
	world_close(w);
	memset(w->key, 'x', sizeof w->key);
	assert_fails(world_open(w, &err), "secret_key");
	assert_has(err.msg, "task/main/web");
	memset(w->key, 'k', sizeof w->key);
	assert_works(world_open(w, &err));
}

static void box_cannot_be_moved_to_another_row(void **state)
{
	struct world *w = *state;

	receive(w, (struct happening){ .id = "d1", .after = "A", .secret = canary });
	receive(w, (struct happening){ .id = "d2", .after = "B", .order_key = "" });
	world_close(w);
	sql_run(w, "UPDATE run SET sealed = (SELECT sealed FROM run WHERE id = 'ca1')"
		   " WHERE id = 'ca2'");
	world_reopen(w);
	assert_string_equal(claim(w), "ca1");
	assert_null(claim(w));
	assert_int_equal(status_of(w, "ca2"), RUN_ERROR);
}

static void damaged_record_does_not_stop_the_queue(void **state)
{
	struct world *w = *state;

	submit(w, NULL);
	submit(w, NULL);
	world_close(w);
	sql_run(w, "UPDATE run SET request = '{' WHERE id = 'ca1'");
	world_reopen(w);
	assert_string_equal(claim(w), "ca2");
	assert_int_equal(sql_number(w, "SELECT status FROM run WHERE id = 'ca1'"), RUN_ERROR);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(task_is_found_by_name_and_by_repository),
		T(tasks_are_there_after_a_restart_with_their_secrets),
		T(replacing_keeps_creation_and_spelling),
		T(deleted_task_is_gone_and_its_runs_stay),
		T(task_of_an_unknown_registry_is_refused),
		T(many_tasks_stay_in_order),
		T(secret_reaches_the_claim_only),
		T(secrets_are_never_in_the_files_in_clear),
		T(run_sealed_with_another_key_ends_and_lets_others_go),
		T(task_sealed_with_another_key_is_told_at_the_start),
		T(box_cannot_be_moved_to_another_row),
		T(damaged_record_does_not_stop_the_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

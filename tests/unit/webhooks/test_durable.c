/* webhook_receive() on a real queue: what an answer says is on disk. */
#include "tests/unit/queue/world.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/webhooks/push.h"
#include "webhooks/receive.h"

enum { SENDERS = 64 };

/* What came back, over all requests since it was cleared. */
struct answers {
	struct world *world;
	size_t accepted, known, ignored, others;
	char *json; /* of the last one */
};

static void on_answer(const struct webhook_answer *answer, void *data)
{
	struct answers *a = data;

	a->accepted += answer->status == 202;
	a->known += answer->status == 200 && strcmp(answer->verdict, "known") == 0;
	a->ignored += answer->status == 200 && strcmp(answer->verdict, "ignored") == 0;
	a->others += answer->status >= 300;
	free(a->json);
	a->json = xstrdup(answer->json);
	a->world->waiting--;
}

static void deliver(struct answers *a, const char *spec, const char *delivery_id)
{
	struct secret secret = { 0 };
	struct webhook webhook = { .name = (char *)"github",
				   .provider = provider_find("github"),
				   .secrets = &secret,
				   .secrets_len = 1 };
	struct saved_request r;

	secret_set(&secret, STR(SECRET));
	push_request(&r, spec, delivery_id);
	struct webhook_request view = saved_request_view(&r);
	a->world->waiting++;
	webhook_receive(a->world->queue, &webhook, &view, on_answer, a);
	saved_request_release(&r); /* borrowed for the call only */
	secret_release(&secret);
}

static void on_task(const struct task *task, const struct err *err, void *data)
{
	assert_null(err);
	assert_non_null(task);
	((struct world *)data)->waiting--;
}

static void follow_main(struct world *w)
{
	static const char resource[] =
		"{\"properties\":{\"step\":{\"type\":\"Docker\",\"contextPath\":"
		"\"https://github.com/acme/app.git#main\",\"imageNames\":[\"app:{{.Run.ID}}\"],"
		"\"dockerFilePath\":\"Dockerfile\"},\"trigger\":{\"sourceTriggers\":[{\"name\":\"t\","
		"\"sourceTriggerEvents\":[\"commit\"],\"sourceRepository\":{\"repositoryUrl\":"
		"\"https://github.com/acme/app.git#main\"}}]}}}";
	struct err err;
	struct task task = { 0 };
	json_t *object = NULL;

	assert_works(json_read(&object, str_from(resource), NULL, &err));
	assert_works(task_from_json(&task, object, "main", "web", &err));
	json_decref(object);
	w->waiting++;
	queue_put_task(w->queue, &task, on_task, w);
	world_wait(w);
	task_release(&task);
}

static void one_delivery_by_many_connections_is_accepted_once(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	for (int i = 0; i < SENDERS; i++)
		deliver(&a, "push", "d1");
	world_wait(a.world);
	assert_int_equal(a.accepted, 1);
	assert_int_equal(a.known, SENDERS - 1);
	assert_has(a.json, "\"runs\":[\"ca1\"]");
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM run"), 1);
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM delivery"), 1);
	free(a.json);
}

static void different_deliveries_at_once_make_a_run_each(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	for (int i = 0; i < SENDERS; i++) {
		cleanup_free char *id = xasprintf("d%d", i);
		cleanup_free char *spec = xasprintf("push ; after=\"%040d\"", i + 1);
		deliver(&a, spec, id);
	}
	world_wait(a.world);
	assert_int_equal(a.accepted, SENDERS);
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM run"), SENDERS);
	free(a.json);
}

static void a_known_delivery_is_known_after_a_restart(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	deliver(&a, "push", "d1");
	world_wait(a.world);
	cleanup_free char *first = xstrdup(a.json);
	world_reopen(a.world);
	deliver(&a, "push", "d1");
	world_wait(a.world);
	assert_int_equal(a.accepted, 1);
	assert_int_equal(a.known, 1);
	assert_has(a.json, "\"runs\":[\"ca1\"]");
	assert_has(first, "\"runs\":[\"ca1\"]");
	free(a.json);
}

static void the_same_move_under_another_id_and_body_repeats_its_run(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	deliver(&a, "push", "d1");
	deliver(&a, "push ; compare=\"https://x\"", "d2");
	world_wait(a.world);
	assert_int_equal(a.accepted, 1);
	assert_int_equal(a.ignored, 1);
	assert_has(a.json, "repeats the event that started run ca1");
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM run"), 1);
	free(a.json);
}

static void what_starts_nothing_is_kept_to_be_listed(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	deliver(&a, "push ; ref=\"refs/heads/dev\"", "d1");
	deliver(&a, "push ; deleted=true", "d2");
	deliver(&a, "push ; repository.clone_url=\"https://github.com/a/b\"", "d3");
	world_wait(a.world);
	assert_int_equal(a.ignored, 3);
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM run"), 0);
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM delivery"), 3);
	free(a.json);
}

static void what_is_refused_leaves_no_row(void **state)
{
	struct answers a = { .world = *state };

	follow_main(a.world);
	deliver(&a, "push ; after=\"HEAD\"", "d1");
	deliver(&a, "push ; -repository", "d2");
	deliver(&a, "push", "");
	world_wait(a.world);
	assert_int_equal(a.others, 3);
	assert_int_equal(sql_number(a.world, "SELECT count(*) FROM delivery"), 0);
	free(a.json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_delivery_by_many_connections_is_accepted_once),
		TEST(different_deliveries_at_once_make_a_run_each),
		TEST(a_known_delivery_is_known_after_a_restart),
		TEST(the_same_move_under_another_id_and_body_repeats_its_run),
		TEST(what_starts_nothing_is_kept_to_be_listed),
		TEST(what_is_refused_leaves_no_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

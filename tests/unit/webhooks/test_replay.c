/* Stored deliveries again, and saved ones without consequences, through the real queue. */
#include "tests/unit/queue/world.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/webhooks/push.h"
#include "webhooks/replay.h"
#include "webhooks/simulate.h"

#define URL "https://github.com/acme/app.git"

static void put_web(struct world *w, const char *branch)
{
	struct task task = {
		.registry = xstrdup("main"),
		.name = xstrdup("web"),
		.enabled = true,
		.step = { .context = xstrdup(URL "#main"), .dockerfile = xstrdup("Dockerfile") },
		.triggers = xnew(struct source_trigger),
		.triggers_len = 1,
	};
	*task.triggers = (struct source_trigger){
		.name = xstrdup("t"),
		.enabled = true,
		.on_commit = true,
		.on_pull_request = true,
		.repository_url = xstrdup(URL),
		.repository = xstrdup("github.com/acme/app"),
		.branch = xstrdup(branch),
	};
	put_task(w, &task);
}

/* A stored delivery, as the database gave it, is replayed. */
static void on_stored(const struct delivery *deliveries, size_t len, const struct err *err,
		      void *data)
{
	struct world *w = data;

	assert_null(err);
	assert_int_equal(len, 1);
	w->waiting++;
	webhook_replay(w->queue, &deliveries[0], accept_answered, w);
	w->waiting--;
}

static void replay(struct world *w, const char *id)
{
	answer_clear(&w->answer);
	w->waiting++;
	queue_get_delivery(w->queue, id, on_stored, w);
	world_wait(w);
}

static void store(struct world *w, struct delivery *d)
{
	answer_begin(w);
	queue_accept(w->queue, d, NULL, 0, accept_answered, w);
	world_wait(w);
}

/* A delivery of pushes to these refs, which no task wanted when it came. */
static struct delivery pushes(const char *id, const char *const *refs)
{
	struct delivery d = { .webhook = xstrdup("azure"),
			      .delivery_id = xstrdup(id),
			      .received_ms = 1 };
	struct events events = { 0 };

	sha256(d.body_sha256, str_from(id));
	for (; *refs; refs++) {
		*events_add(&events) = (struct event){
			.kind = EVENT_PUSH,
			.name = xstrdup("git.push"),
			.provider = xstrdup("azure-repos"),
			.repository = xstrdup("github.com/acme/app"),
			.repository_url = xstrdup(URL),
			.ref = xstrdup(*refs),
			.before = xstrdup("0000000000000000000000000000000000000001"),
			.after = xstrdup("0000000000000000000000000000000000000002"),
			.sender = xstrdup("octocat"),
		};
	}
	delivery_take_events(&d, &events);
	return d;
}

static void every_event_of_a_delivery_is_judged_again(void **state)
{
	struct world *w = *state;
	const char *const refs[] = { "refs/heads/one", "refs/heads/main", NULL };
	struct delivery d = pushes("d1", refs);

	store(w, &d);
	put_web(w, "main");
	replay(w, "d1");

	assert_string_equal(ids(w), "ca1");
	assert_int_equal(w->answer.texts.len, 2);
	assert_has(w->answer.texts.items[0], "replay of d1: the task follows");
	assert_string_equal(w->answer.texts.items[1], "replay of d1: push to main by octocat");
	cleanup_free char *run =
		sql_text(w, "SELECT source_repository || source_provider FROM run");
	assert_string_equal(run, URL "azure-repos");
}

static void a_commit_that_says_skip_says_it_still(void **state)
{
	struct world *w = *state;
	const char *const refs[] = { "refs/heads/main", NULL };
	struct delivery d = pushes("d1", refs);

	d.event.skip = true;
	d.event.title = xstrdup("typo [skip ci]");
	store(w, &d);
	put_web(w, "main");
	replay(w, "d1");

	assert_int_equal(w->answer.runs.len, 0);
	assert_has(w->answer.texts.items[0], "typo [skip ci]");
}

static void another_identity_of_the_repository_is_kept(void **state)
{
	struct world *w = *state;
	const char *const refs[] = { "refs/heads/main", NULL };
	struct delivery d = pushes("d1", refs);

	d.event.repository_id = d.event.repository;
	d.event.repository = xstrdup("renamed.example.org/acme/app");
	store(w, &d);
	put_web(w, "main");
	replay(w, "d1");

	assert_string_equal(ids(w), "ca1");
}

static void a_pull_request_builds_the_commit_of_then(void **state)
{
	struct world *w = *state;
	const char *const refs[] = { "refs/pull/7/head", NULL };
	struct delivery d = pushes("d1", refs);

	d.event.kind = EVENT_PULL_REQUEST;
	d.event.pull = (struct pull_request){ .number = 7,
					      .action = PULL_UPDATED,
					      .target = xstrdup("refs/heads/main") };
	store(w, &d);
	put_web(w, "main");
	replay(w, "d1");
	replay(w, "d1");

	assert_string_equal(ids(w), "ca2");
	cleanup_free char *commit = sql_text(w, "SELECT DISTINCT source_commit FROM run");
	assert_string_equal(commit, "0000000000000000000000000000000000000002");
	assert_int_equal(sql_number(w, "SELECT count(DISTINCT order_key) FROM run"), 1);
}

static void an_id_of_any_length_can_be_replayed(void **state)
{
	struct world *w = *state;
	const char *const refs[] = { "refs/heads/main", NULL };
	char id[129];

	memset(id, '~', sizeof id);
	id[128] = '\0';
	struct delivery d = pushes(id, refs);
	store(w, &d);
	put_web(w, "main");
	replay(w, id);

	assert_string_equal(ids(w), "ca1");
	assert_true(strlen(w->answer.names.items[0]) <= 128);
	assert_int_equal(sql_number(w, "SELECT length(replay_of) FROM delivery WHERE seq = 2"),
			 128);
}

/* ---- simulate ---- */

struct trail {
	struct world *w;
	json_t *json;
};

static void on_trail(const json_t *json, const struct err *err, void *data)
{
	struct trail *t = data;

	assert_null(err);
	assert_null(t->json);
	t->json = json_deep_copy(json);
	t->w->waiting--;
}

static json_t *simulate(struct world *w, const struct saved_request *r)
{
	struct secret secret = { 0 };
	secret_set(&secret, STR(SECRET));
	const struct webhook webhook = { .name = (char[]){ "github" },
					 .provider = provider_find("github"),
					 .secrets = &secret,
					 .secrets_len = 1 };
	struct webhook_request view = saved_request_view(r);
	struct trail trail = { .w = w };

	w->waiting++;
	webhook_simulate(w->queue, &webhook, &view, on_trail, &trail);
	world_wait(w);
	secret_release(&secret);
	return trail.json;
}

static int status_in(const json_t *trail)
{
	return (int)json_integer_value(json_object_get(trail, "status"));
}

static const char *text_of(const json_t *trail, const char *key)
{
	return json_string_value(json_object_get(trail, key));
}

static void a_simulated_push_starts_nothing(void **state)
{
	struct world *w = *state;
	struct saved_request r;

	put_web(w, "main");
	push_request(&r, "push", "d1");
	cleanup_json json_t *trail = simulate(w, &r);
	assert_string_equal(text_of(trail, "signature"), "valid");
	assert_int_equal(status_in(trail), 202);
	assert_int_equal(json_array_size(json_object_get(trail, "problems")), 0);
	assert_int_equal(sql_number(w, "SELECT (SELECT count(*) FROM run) +"
				       " (SELECT count(*) FROM delivery) +"
				       " (SELECT count(*) FROM ref_event)"),
			 0);
	saved_request_release(&r);
}

static void what_it_would_be_refused_for_is_told_in_order(void **state)
{
	struct world *w = *state;
	struct saved_request r = { 0 };

	buf_adds(&r.body, "{");
	saved_request_header(&r, "X-GitHub-Event", "push");
	saved_request_header(&r, "Content-Type", "application/json");
	saved_request_sign(&r, "another key");
	cleanup_json json_t *trail = simulate(w, &r);
	cleanup_buf struct buf codes = BUF_INIT;
	size_t i;
	json_t *problem;
	json_array_foreach (json_object_get(trail, "problems"), i, problem)
		buf_addf(&codes, "%s ", text_of(problem, "code"));
	assert_string_equal(codes.ptr, "signature_mismatch bad_delivery_id bad_json ");
	assert_int_equal(status_in(trail), 401);
	assert_null(json_object_get(trail, "deliveryId"));
	assert_string_equal(text_of(trail, "webhook"), "github");
	saved_request_release(&r);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_event_of_a_delivery_is_judged_again),
		T(a_commit_that_says_skip_says_it_still),
		T(another_identity_of_the_repository_is_kept),
		T(a_pull_request_builds_the_commit_of_then),
		T(an_id_of_any_length_can_be_replayed),
		T(a_simulated_push_starts_nothing),
		T(what_it_would_be_refused_for_is_told_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

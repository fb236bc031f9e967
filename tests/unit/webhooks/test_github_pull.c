/* What GitHub's pull_request and merge_group deliveries mean, and what becomes of them. */
#include "tests/unit/webhooks/fixture.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/webhooks/edit.h"

static const char pull_request[] =
	"{\"action\":\"opened\",\"number\":7,\"pull_request\":{\"number\":7,\"draft\":false,"
	"\"merged\":false,\"user\":{\"login\":\"mallory\"},"
	"\"head\":{\"ref\":\"feature/x\",\"sha\":\"" TIP "\",\"repo\":{\"id\":1}},"
	"\"base\":{\"ref\":\"main\",\"sha\":\"" BEFORE "\",\"repo\":{\"id\":1}}},"
	"\"repository\":{\"id\":1,\"full_name\":\"acme/app\","
	"\"clone_url\":\"https://github.com/acme/app.git\"},"
	"\"sender\":{\"login\":\"octocat\"}}";

static const char merge_group[] =
	"{\"action\":\"checks_requested\",\"merge_group\":{\"head_sha\":\"" TIP "\","
	"\"head_ref\":\"refs/heads/gh-readonly-queue/main/pr-104-" BEFORE "\","
	"\"base_sha\":\"" BEFORE "\",\"base_ref\":\"refs/heads/main\"},"
	"\"repository\":{\"clone_url\":\"https://github.com/acme/app.git\"},"
	"\"sender\":{\"login\":\"octocat\"}}";

static void request(struct saved_request *r, const char *name, const char *json, const char *edits)
{
	cleanup_json json_t *object = json_loads(json, 0, NULL);

	edit_json(object, str_from(edits));
	cleanup_free char *text = json_text(object);
	*r = (struct saved_request){ 0 };
	buf_adds(&r->body, text);
	saved_request_header(r, "X-GitHub-Event", name);
	saved_request_header(r, "X-GitHub-Delivery", "d1");
	saved_request_header(r, "X-GitHub-Enterprise-Host", "git.example.org");
	saved_request_header(r, "Content-Type", "application/json");
	saved_request_sign(r, SECRET);
}

static int parse(struct events *out, const char *name, const char *json, const char *edits,
		 struct err *err)
{
	struct saved_request r;

	request(&r, name, json, edits);
	struct webhook_request view = saved_request_view(&r);
	*out = (struct events){ 0 };
	int rc = provider_find("github")->parse(out, &view, err);
	if (rc < 0)
		events_release(out);
	saved_request_release(&r);
	return rc;
}

static void a_pull_request_is_its_heads_commit_for_the_base(void **state)
{
	(void)state;
	struct events events;
	struct err err;

	assert_works(parse(&events, "pull_request", pull_request, "", &err));
	assert_int_equal(events.len, 1);
	const struct event *e = events.items;
	assert_int_equal(e->kind, EVENT_PULL_REQUEST);
	assert_string_equal(e->name, "pull_request");
	assert_string_equal(e->repository, "github.com/acme/app");
	assert_string_equal(e->repository_url, "https://github.com/acme/app.git");
	assert_string_equal(e->ref, "refs/pull/7/head");
	assert_string_equal(e->after, TIP);
	assert_null(e->before);
	assert_string_equal(e->sender, "octocat");
	assert_int_equal(e->pull.number, 7);
	assert_string_equal(e->pull.target, "refs/heads/main");
	assert_string_equal(e->pull.source, "refs/heads/feature/x");
	assert_false(e->pull.draft || e->pull.fork || e->skip || e->created || e->deleted);
	events_release(&events);
}

static void each_action_has_its_meaning(void **state)
{
	static const struct {
		const char *edits;
		enum pull_action action;
	} rows[] = {
		{ "", PULL_OPENED },
		{ "action=\"reopened\"", PULL_REOPENED },
		{ "action=\"synchronize\"", PULL_UPDATED },
		{ "action=\"ready_for_review\"", PULL_READY },
		{ "action=\"edited\" ; changes={\"base\":{\"ref\":{\"from\":\"dev\"}}}",
		  PULL_RETARGETED },
		{ "action=\"edited\" ; changes={\"title\":{\"from\":\"a\"}}", PULL_OTHER },
		{ "action=\"edited\"", PULL_OTHER },
		{ "action=\"edited\" ; changes={\"base\":null}", PULL_OTHER },
		{ "action=\"closed\"", PULL_CLOSED },
		{ "action=\"closed\" ; pull_request.merged=true", PULL_MERGED },
		{ "action=\"converted_to_draft\"", PULL_OTHER },
		{ "action=\"labeled\"", PULL_OTHER },
		{ "action=\"enqueued\"", PULL_OTHER },
		{ "action=\"something new\"", PULL_OTHER },
		{ "action=\"Opened\"", PULL_OTHER },
	};
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct events events;
		assert_works(parse(&events, "pull_request", pull_request, rows[i].edits, &err));
		assert_int_equal(events.items[0].pull.action, rows[i].action);
		events_release(&events);
	}
}

static void drafts_and_forks_are_noticed(void **state)
{
	static const struct {
		const char *edits;
		bool draft, fork;
	} rows[] = {
		{ "pull_request.draft=true", true, false },
		{ "-pull_request.draft", false, false },
		{ "pull_request.head.repo.id=2", false, true },
		{ "pull_request.head.repo=null", false, true },
		{ "-pull_request.head.repo", false, true },
		/* An id that cannot be compared is not the same. */
		{ "pull_request.head.repo.id=\"1\" ; pull_request.base.repo.id=\"1\"", false,
		  true },
		{ "-pull_request.head.repo.id ; -pull_request.base.repo.id", false, true },
	};
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct events events;
		assert_works(parse(&events, "pull_request", pull_request, rows[i].edits, &err));
		assert_int_equal(events.items[0].pull.draft, rows[i].draft);
		assert_int_equal(events.items[0].pull.fork, rows[i].fork);
		events_release(&events);
	}
}

static void an_enterprise_server_is_known_by_its_clone_url(void **state)
{
	static const char edits[] = "repository.clone_url=\"https://git.example.org/Acme/App.git\"";
	struct events events;
	struct err err;
	(void)state;

	assert_works(parse(&events, "pull_request", pull_request, edits, &err));
	assert_string_equal(events.items[0].repository, "git.example.org/Acme/App");
	events_release(&events);
	assert_works(parse(&events, "merge_group", merge_group, edits, &err));
	assert_string_equal(events.items[0].repository, "git.example.org/Acme/App");
	events_release(&events);
}

static void a_merge_group_updates_its_newest_pull_request(void **state)
{
	(void)state;
	struct events events;
	struct err err;

	assert_works(parse(&events, "merge_group", merge_group, "", &err));
	const struct event *e = events.items;
	assert_int_equal(e->kind, EVENT_PULL_REQUEST);
	assert_string_equal(e->name, "merge_group");
	assert_string_equal(e->ref, "refs/heads/gh-readonly-queue/main/pr-104-" BEFORE);
	assert_string_equal(e->after, TIP);
	assert_int_equal(e->pull.number, 104);
	assert_int_equal(e->pull.action, PULL_UPDATED);
	assert_string_equal(e->pull.target, "refs/heads/main");
	assert_null(e->pull.source);
	assert_false(e->pull.draft || e->pull.fork);
	events_release(&events);
}

static void a_queue_branch_of_another_name_has_no_number(void **state)
{
	static const char *const refs[] = { "refs/heads/gh-readonly-queue/main/next",
					    "refs/heads/q/pr-", "refs/heads/q/pr-x-1",
					    "refs/heads/q/pr-99999999999999999999-1" };
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		struct events events;
		cleanup_free char *edits = xasprintf("merge_group.head_ref=\"%s\"", refs[i]);
		assert_works(parse(&events, "merge_group", merge_group, edits, &err));
		assert_int_equal(events.items[0].pull.number, 0);
		events_release(&events);
	}
}

static void a_merge_group_that_is_gone_starts_nothing(void **state)
{
	(void)state;
	struct events events;
	struct err err;

	assert_works(parse(&events, "merge_group", merge_group, "action=\"destroyed\"", &err));
	assert_int_equal(events.items[0].kind, EVENT_OTHER);
	assert_null(events.items[0].ref);
	events_release(&events);
}

/* ---- to the run ---- */

static void receive(struct fixture *f, const char *name, const char *json, const char *edits)
{
	struct saved_request r;

	request(&r, name, json, edits);
	fixture_receive(f, &r);
	saved_request_release(&r);
}

static void follow_pull_requests(struct fixture *f)
{
	f->queue.task.triggers[0].on_pull_request = true;
}

static void a_task_that_builds_pull_requests_builds_the_head(void **state)
{
	struct fixture *f = *state;

	follow_pull_requests(f);
	receive(f, "pull_request", pull_request, "");
	assert_int_equal(f->status, 202);
	assert_has(f->json, "pull request 7 opened by octocat");
	assert_string_equal(f->queue.last.build.commit, TIP);
	assert_string_equal(f->queue.last.build.ref, "refs/pull/7/head");
}

static void a_task_that_builds_pull_requests_builds_the_merge_group(void **state)
{
	struct fixture *f = *state;

	follow_pull_requests(f);
	receive(f, "merge_group", merge_group, "");
	assert_int_equal(f->status, 202);
	assert_has(f->json, "pull request 104 updated by octocat");
	assert_string_equal(f->queue.last.build.commit, TIP);
}

static void forks_are_not_built_whoever_their_author_is(void **state)
{
	struct fixture *f = *state;

	follow_pull_requests(f);
	receive(f, "pull_request", pull_request,
		"pull_request.head.repo.id=2 ; pull_request.user.login=\"octocat\"");
	assert_int_equal(f->status, 200);
	assert_has(f->json, "comes from a fork");
	assert_int_equal(f->queue.runs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pull_request_is_its_heads_commit_for_the_base),
		TEST(each_action_has_its_meaning),
		TEST(drafts_and_forks_are_noticed),
		TEST(an_enterprise_server_is_known_by_its_clone_url),
		TEST(a_merge_group_updates_its_newest_pull_request),
		TEST(a_queue_branch_of_another_name_has_no_number),
		TEST(a_merge_group_that_is_gone_starts_nothing),
		TEST(a_task_that_builds_pull_requests_builds_the_head),
		TEST(a_task_that_builds_pull_requests_builds_the_merge_group),
		TEST(forks_are_not_built_whoever_their_author_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

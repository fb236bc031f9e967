#include "tests/unit/webhooks/fixture.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/webhooks/recorded.h"

#define APP  "gitlab.example.com:8443/gitlab/team/backend/app"
#define URL  "https://" APP ".git"
#define KEY  "6f8a1f0e-5a0c-4a53-9e0c-2d2f0c6f5a11"
#define MR   "refs/heads/feature/login -> refs/heads/main, refs/merge-requests/7/head at da15608"
#define UUID "13792a34-cac6-4fda-95a8-c58e00a3954e"

/* As GitLab sends it, but for one header: changed, or left out when its value is NULL. */
static void request(struct saved_request *r, const char *event, const char *changed,
		    const char *value)
{
	const struct {
		const char *name, *value;
	} headers[] = {
		{ "Content-Type", "application/json" },
		{ "User-Agent", "GitLab/17.9.0" },
		{ "Idempotency-Key", KEY },
		{ "X-Gitlab-Event", event },
		{ "X-Gitlab-Event-UUID", UUID },
		{ "X-Gitlab-Token", SECRET },
	};
	bool found = !changed;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		bool is_changed = changed && strcmp(headers[i].name, changed) == 0;
		const char *sent = is_changed ? value : headers[i].value;
		found |= is_changed;
		if (sent)
			saved_request_header(r, headers[i].name, sent);
	}
	assert_true(found);
}

/* ---- what deliveries mean ---- */

static const struct {
	const char *event, *file, *edits, *says;
} meanings[] = {
	{ "Push Hook", "push", "",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada: Fix the readme" },
	{ "Push Hook", "push-new-branch", "",
	  "push refs/heads/feature/login 0000000..da15608 of " APP " by ada (created)" },
	{ "Push Hook", "push-deleted-branch", "",
	  "push refs/heads/feature/login da15608..0000000 of " APP " by ada (deleted)" },
	{ "Tag Push Hook", "tag", "",
	  "push refs/tags/v1.0.0 0000000..82b3d5a of " APP " by ada: Fix the readme (created)" },
	{ "Tag Push Hook", "tag-deleted", "",
	  "push refs/tags/v1.0.0 82b3d5a..0000000 of " APP " by ada (deleted)" },
	{ "System Hook", "system-push", "",
	  "push refs/heads/main 95790bf..da15608 of " APP " by nobody: Fix the readme" },
	{ "System Hook", "tag", "",
	  "push refs/tags/v1.0.0 0000000..82b3d5a of " APP " by ada: Fix the readme (created)" },
	{ "System Hook", "system-repository-update", "", "other repository_update" },
	{ "System Hook", "note", "", "other note" },
	{ "System Hook", "note", "-object_kind", "other System Hook" },
	{ "System Hook", "note", "object_kind=\"a\\u001b\"", "other System Hook" },
	{ "Note Hook", "note", "", "other Note Hook" },
	{ "push", "push", "", "other push" },

	/* Of several commits that of the push counts, in whatever order they come. */
	{ "Push Hook", "push", "after=\"b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327\"",
	  "push refs/heads/main 95790bf..b6568db of " APP " by ada: Translate the manual (skip)" },
	{ "Push Hook", "push", "commits=[{\"id\":\"x\",\"message\":\"one [ci skip]\"}]",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada: one [ci skip] (skip)" },
	{ "Push Hook", "push", "commits=[7,null,[],\"{\"]",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada" },
	{ "Push Hook", "push", "commits={\"id\":1}",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada" },
	{ "Push Hook", "push", "commits=[{\"id\":{},\"message\":[]}]",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada" },

	{ "Merge Request Hook", "merge-request-open", "",
	  "pull request 7 opened: " MR " of " APP " by ada" },
	{ "System Hook", "merge-request-open", "",
	  "pull request 7 opened: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-open", "object_attributes.action=\"reopen\"",
	  "pull request 7 reopened: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-open", "object_attributes.draft=true",
	  "pull request 7 opened: " MR " of " APP " by ada (draft)" },
	{ "Merge Request Hook", "merge-request-open",
	  "-object_attributes.draft ; object_attributes.work_in_progress=true",
	  "pull request 7 opened: " MR " of " APP " by ada (draft)" },
	{ "Merge Request Hook", "merge-request-open-fork", "",
	  "pull request 7 opened: " MR " of " APP " by mallory (fork)" },
	{ "Merge Request Hook", "merge-request-open", "object_attributes.source_project_id=null",
	  "pull request 7 opened: " MR " of " APP " by ada (fork)" },
	{ "Merge Request Hook", "merge-request-open", "-object_attributes.target_project_id",
	  "pull request 7 opened: " MR " of " APP " by ada (fork)" },
	{ "Merge Request Hook", "merge-request-open", "object_attributes.last_commit=null",
	  "pull request 7 other: refs/heads/feature/login -> refs/heads/main, "
	  "refs/merge-requests/7/head at nothing of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-update-commits", "",
	  "pull request 7 updated: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-update-ready", "",
	  "pull request 7 ready: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-update-ready", "-changes.draft",
	  "pull request 7 ready: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-update-ready", "object_attributes.draft=true",
	  "pull request 7 other: " MR " of " APP " by ada (draft)" },
	{ "Merge Request Hook", "merge-request-update-target", "",
	  "pull request 7 retargeted: refs/heads/feature/login -> refs/heads/release/2, "
	  "refs/merge-requests/7/head at da15608 of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-update-labels", "",
	  "pull request 7 other: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-approved", "",
	  "pull request 7 other: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-merge", "",
	  "pull request 7 merged: " MR " of " APP " by ada" },
	{ "Merge Request Hook", "merge-request-close", "",
	  "pull request 7 closed: " MR " of " APP " by ada" },
};

static void every_recorded_delivery_is_read_as_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		struct saved_request r = { 0 };
		cleanup_free char *file = xasprintf("gitlab/%s", meanings[i].file);
		recorded_body(&r.body, file, meanings[i].edits);
		request(&r, meanings[i].event, NULL, NULL);
		cleanup_free char *said = recorded_says(provider_find("gitlab"), &r);
		saved_request_release(&r);
		assert_string_equal(said, meanings[i].says);
	}
}

/* ---- hostile and broken deliveries ---- */

#define PUSH  "Push Hook"
#define MERGE "Merge Request Hook"

static const struct {
	const char *event, *file, *edits;
	const char *header, *value; /* one that is not as it should be */
	int status;
	const char *word;
} answers[] = {
	{ PUSH, "push", "", NULL, NULL, 202, "accepted" },
	{ PUSH, "push", "", "X-Gitlab-Token", OLD_SECRET, 202, "accepted" },
	{ PUSH, "push", "", "X-Gitlab-Token", NULL, 401, "signature_missing" },
	{ PUSH, "push", "", "X-Gitlab-Token", "", 401, "signature_mismatch" },
	{ PUSH, "push", "", "X-Gitlab-Token", SECRET "!", 401, "signature_mismatch" },
	{ PUSH, "push", "", "X-Gitlab-Token", "It's a Secret to Everybodz", 401,
	  "signature_mismatch" },
	{ PUSH, "push", "-ref", "X-Gitlab-Token", NULL, 401, "signature_missing" },
	{ PUSH, "push", "", "X-Gitlab-Event", NULL, 400, "bad_event" },
	{ PUSH, "push", "", "X-Gitlab-Event", "", 400, "bad_event" },
	{ PUSH, "push", "", "X-Gitlab-Event", "Push\x1bHook", 400, "bad_event" },
	{ PUSH, "push", "", "X-Gitlab-Event", "Some Hook", 200, "ignored" },
	{ PUSH, "push", "", "Content-Type", "text/plain", 415, "media_type" },
	{ PUSH, "push", "", "Idempotency-Key", NULL, 202, "accepted" },
	{ PUSH, "push", "", "Idempotency-Key", "' OR 1=1--", 400, "bad_delivery_id" },
	{ PUSH, "push", "", "Idempotency-Key", "", 400, "bad_delivery_id" },
	{ PUSH, "push", "project=null", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "-project", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "project=7", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "project.git_http_url=\"/etc\"", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "project.git_http_url=\"file:///etc/passwd\"", NULL, NULL, 400,
	  "bad_payload" },
	{ PUSH, "push", "project.git_http_url=\"https://gitlab.example.com/team/app.git\"", NULL,
	  NULL, 200, "ignored" },
	{ PUSH, "push", "-ref", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "ref=\"main\"", NULL, NULL, 400, "ref_invalid" },
	{ PUSH, "push", "ref=\"refs/heads/a\\nb\"", NULL, NULL, 400, "ref_invalid" },
	{ PUSH, "push", "ref=\"refs/heads/-oProxyCommand=x\"", NULL, NULL, 200, "ignored" },
	{ PUSH, "push", "after=\"HEAD\"", NULL, NULL, 400, "sha_invalid" },
	{ PUSH, "push", "after=\"--all\"", NULL, NULL, 400, "sha_invalid" },
	{ PUSH, "push", "after=null", NULL, NULL, 400, "bad_payload" },
	{ PUSH, "push", "before=\"main\"", NULL, NULL, 400, "sha_invalid" },
	{ PUSH, "push-deleted-branch", "ref=\"refs/heads/main\"", NULL, NULL, 200, "ignored" },
	{ PUSH, "push", "user_username={}", NULL, NULL, 202, "accepted" },
	{ PUSH, "push", "commits=[{\"id\":\"a\",\"message\":\"[skip ci]\"}]", NULL, NULL, 200,
	  "ignored" },
	{ MERGE, "merge-request-open", "", NULL, NULL, 200, "ignored" },
	{ MERGE, "merge-request-open-fork", "", NULL, NULL, 200, "ignored" },
	{ MERGE, "merge-request-open", "object_attributes={}", NULL, NULL, 400, "bad_payload" },
	{ MERGE, "merge-request-open", "object_attributes.iid=-7", NULL, NULL, 400, "bad_payload" },
	{ MERGE, "merge-request-open", "object_attributes.iid=\"7\"", NULL, NULL, 400,
	  "bad_payload" },
	{ MERGE, "merge-request-open", "object_attributes.iid=7.5", NULL, NULL, 400,
	  "bad_payload" },
	{ MERGE, "merge-request-open", "-object_attributes.action", NULL, NULL, 400,
	  "bad_payload" },
	{ MERGE, "merge-request-open", "object_attributes.draft=\"no\"", NULL, NULL, 400,
	  "bad_payload" },
	{ MERGE, "merge-request-open", "object_attributes.target_branch=\"a..b\"", NULL, NULL, 400,
	  "ref_invalid" },
	{ MERGE, "merge-request-open", "object_attributes.last_commit.id=\"HEAD\"", NULL, NULL, 400,
	  "sha_invalid" },
	{ MERGE, "merge-request-open", "-object_attributes.last_commit", NULL, NULL, 400,
	  "bad_payload" },
	{ "System Hook", "push", "event_name=7 ; -object_kind", NULL, NULL, 200, "ignored" },
};

static void every_delivery_gets_its_answer(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct saved_request r = { 0 };
		cleanup_free char *file = xasprintf("gitlab/%s", answers[i].file);
		fixture_of(f, "gitlab", URL "#main");
		recorded_body(&r.body, file, answers[i].edits);
		request(&r, answers[i].event, answers[i].header, answers[i].value);
		fixture_receive(f, &r);
		saved_request_release(&r);
		const char *word = *f->word ? f->word : f->verdict;
		if (f->status != answers[i].status || strcmp(word, answers[i].word) != 0)
			fail_msg("row %zu (%s %s): %d %s %s", i, answers[i].file, answers[i].edits,
				 f->status, word, f->json);
		assert_int_equal(f->queue.runs, f->status == 202);
		assert_int_equal(f->queue.kept_len, f->status < 300);
	}
}

static void a_header_that_came_twice_proves_nothing(void **state)
{
	struct fixture *f = *state;
	struct saved_request r = { 0 };

	fixture_of(f, "gitlab", URL "#main");
	recorded_body(&r.body, "gitlab/push", "");
	request(&r, PUSH, NULL, NULL);
	saved_request_header(&r, "X-Gitlab-Token", "a guess");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 401);
	assert_string_equal(f->word, "signature_malformed");
}

/* A signature that does not hold is not made good by a token that does. */
static void a_signature_counts_more_than_the_token(void **state)
{
	struct fixture *f = *state;
	struct saved_request r = { 0 };

	fixture_of(f, "gitlab", URL "#main");
	recorded_body(&r.body, "gitlab/push", "");
	request(&r, PUSH, NULL, NULL);
	saved_request_header(&r, "webhook-id", KEY);
	saved_request_header(&r, "webhook-timestamp", "1614265330");
	saved_request_header(&r, "webhook-signature", "v1,AAAA");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 401);
	assert_string_equal(f->word, "signature_mismatch");
}

/* The example of the specification (test_standard.c). */
static void a_signing_token_needs_no_other(void **state)
{
	struct fixture *f = *state;
	struct saved_request r = { 0 };
	cleanup_buf struct buf id = BUF_INIT;
	struct err err;

	fixture_of(f, "gitlab", URL "#main");
	secret_set(&f->secrets[0], STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	saved_request_header(&r, "Idempotency-Key", "not signed");
	saved_request_header(&r, "webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
	saved_request_header(&r, "webhook-timestamp", "1614265330");
	saved_request_header(&r, "webhook-signature",
			     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_adds(&r.body, "{\"test\": 2432232314}");
	struct webhook_request view = saved_request_view(&r);
	assert_works(f->webhook.provider->verify(&f->webhook, &view, &err));
	assert_works(f->webhook.provider->delivery_id(&id, &view, &err));
	assert_string_equal(id.ptr, "msg_p5jXN8AQM9LWM0D4loKWxJek");
	saved_request_release(&r);
}

static void bodies_that_are_no_object_are_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "null", "bad_payload" },
		{ "[]", "bad_payload" },
		{ "", "bad_json" },
		{ "{\"ref\":\"a\\u0000b\"}", "bad_json" },
		{ "{} trailing", "bad_json" },
		{ "{\"ref\":\"a\",\"ref\":\"b\"}", "bad_json" },
		{ "{\"commits\":[{\"id\":}]}", "bad_json" },
	};
	struct fixture *f = *state;

	fixture_of(f, "gitlab", URL "#main");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saved_request r = { 0 };
		buf_adds(&r.body, rows[i][0]);
		request(&r, PUSH, NULL, NULL);
		fixture_receive(f, &r);
		saved_request_release(&r);
		assert_int_equal(f->status, 400);
		assert_string_equal(f->word, rows[i][1]);
	}
}

/* ---- delivery ids ---- */

static char *delivery_id_without(const char *first, const char *second)
{
	struct saved_request r = { 0 };
	struct buf id = BUF_INIT;
	struct err err;

	buf_adds(&r.body, "{}");
	if (!first)
		saved_request_header(&r, "Idempotency-Key", KEY);
	if (!second)
		saved_request_header(&r, "X-Gitlab-Event-UUID", UUID);
	struct webhook_request view = saved_request_view(&r);
	assert_works(provider_find("gitlab")->delivery_id(&id, &view, &err));
	saved_request_release(&r);
	return id.ptr;
}

static void old_releases_give_other_ids(void **state)
{
	(void)state;
	cleanup_free char *key = delivery_id_without(NULL, NULL);
	cleanup_free char *event = delivery_id_without("the key", NULL);
	cleanup_free char *body = delivery_id_without("the key", "the event's id");

	assert_string_equal(key, KEY);
	assert_string_equal(event, UUID);
	/* sha256 of "{}". */
	assert_string_equal(
		body, "body-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_recorded_delivery_is_read_as_what_it_is),
		TEST(every_delivery_gets_its_answer),
		TEST(a_header_that_came_twice_proves_nothing),
		TEST(a_signature_counts_more_than_the_token),
		TEST(a_signing_token_needs_no_other),
		TEST(bodies_that_are_no_object_are_refused),
		TEST(old_releases_give_other_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

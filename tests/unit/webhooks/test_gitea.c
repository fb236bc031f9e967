#include "tests/unit/webhooks/fixture.h"

#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/webhooks/recorded.h"

#define APP  "git.example.com:3000/forge/acme/app"
#define URL  "https://" APP ".git"
#define UUID "f6266f16-1bf3-46a5-9ea4-602e06ead473"
#define PULL "refs/heads/feature/login -> refs/heads/main, refs/pull/7/head at da15608"

/* ---- what deliveries mean ---- */

static const struct {
	const char *event, *file, *edits, *says;
} meanings[] = {
	{ "push", "push", "",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada: Fix the readme" },
	{ "push", "push", "head_commit.message=\"Fix it [SKIP CI]\"",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada: Fix it [SKIP CI] (skip)" },
	{ "push", "push", "-sender",
	  "push refs/heads/main 95790bf..da15608 of " APP " by ada: Fix the readme" },
	{ "push", "push-new-branch", "",
	  "push refs/heads/feature/login 0000000..da15608 of " APP
	  " by ada: Fix the readme (created)" },
	{ "push", "push-tag", "",
	  "push refs/tags/v1.0.0 0000000..82b3d5a of " APP " by ada: Fix the readme (created)" },
	{ "push", "push-deleted-tag", "",
	  "push refs/tags/v1.0.0 82b3d5a..0000000 of " APP " by ada (deleted)" },
	/* Of both a push tells as well, or there is nothing to build. */
	{ "create", "create-tag", "", "other create" },
	{ "delete", "delete-branch", "", "other delete" },
	{ "release", "release", "", "other release" },
	{ "pull_request_comment", "pull-opened", "", "other pull_request_comment" },
	{ "Push", "push", "", "other Push" },

	{ "pull_request", "pull-opened", "", "pull request 7 opened: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-opened", "pull_request.draft=true",
	  "pull request 7 opened: " PULL " of " APP " by ada (draft)" },
	{ "pull_request", "pull-opened", "-pull_request.draft ; pull_request.title=\" [wip] x\"",
	  "pull request 7 opened: " PULL " of " APP " by ada (draft)" },
	{ "pull_request", "pull-opened", "pull_request.title=\"WIP: x\"",
	  "pull request 7 opened: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-opened", "action=\"reopened\"",
	  "pull request 7 reopened: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-opened-fork", "",
	  "pull request 7 opened: " PULL " of " APP " by mallory (fork)" },
	{ "pull_request", "pull-reopened-fork-gone", "",
	  "pull request 7 reopened: refs/pull/7/head -> refs/heads/main, refs/pull/7/head at "
	  "da15608 of " APP " by ada (fork)" },
	{ "pull_request", "pull-opened", "-pull_request.head.repo_id ; -pull_request.head.ref",
	  "pull request 7 opened: nowhere -> refs/heads/main, refs/pull/7/head at da15608 of " APP
	  " by ada" },
	{ "pull_request", "pull-opened", "-pull_request.head.repo_id ; pull_request.head.repo=null",
	  "pull request 7 opened: " PULL " of " APP " by ada (fork)" },
	{ "pull_request", "pull-synchronized", "",
	  "pull request 7 updated: " PULL " of " APP " by ada" },
	{ "pull_request_sync", "pull-synchronized", "",
	  "pull request 7 updated: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-edited-ready", "",
	  "pull request 7 ready: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-edited-ready", "pull_request.draft=true",
	  "pull request 7 other: " PULL " of " APP " by ada (draft)" },
	{ "pull_request", "pull-edited-ready", "changes.title.from=\"Let them\"",
	  "pull request 7 other: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-edited-base", "",
	  "pull request 7 retargeted: refs/heads/feature/login -> refs/heads/release/2, "
	  "refs/pull/7/head at da15608 of " APP " by ada" },
	{ "pull_request", "pull-edited-body", "changes={\"base\":{\"ref\":{\"from\":\"next\"}}}",
	  "pull request 7 retargeted: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-edited-body", "",
	  "pull request 7 other: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-label-updated", "",
	  "pull request 7 other: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-closed", "", "pull request 7 closed: " PULL " of " APP " by ada" },
	{ "pull_request", "pull-merged", "",
	  "pull request 7 merged: refs/pull/7/head -> refs/heads/main, refs/pull/7/head at nothing "
	  "of " APP " by ada" },
};

static void every_recorded_delivery_is_read_as_what_it_is(void **state)
{
	static const char *const headers[] = { "X-Gitea-Event", "X-Forgejo-Event" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(meanings) * 2; i++) {
		struct saved_request r = { 0 };
		cleanup_free char *file = xasprintf("gitea/%s", meanings[i / 2].file);
		recorded_body(&r.body, file, meanings[i / 2].edits);
		saved_request_header(&r, "Content-Type", "application/json");
		saved_request_header(&r, headers[i % 2], meanings[i / 2].event);
		cleanup_free char *said = recorded_says(provider_find("gitea"), &r);
		saved_request_release(&r);
		assert_string_equal(said, meanings[i / 2].says);
	}
}

/* ---- authenticity ---- */

/* "bare" and "sha256=" are the right signature, "other" and "63" are not; the rest is itself. */
static void add_proof(struct saved_request *r, const char *header, const char *how)
{
	cleanup_free char *right = saved_request_signature(r, SECRET);
	cleanup_free char *other = saved_request_signature(r, "another key");
	char *hex = right + strlen("sha256=");

	if (strcmp(how, "bare") == 0)
		how = hex;
	else if (strcmp(how, "sha256=...") == 0)
		how = right;
	else if (strcmp(how, "other") == 0)
		how = other + strlen("sha256=");
	else if (strcmp(how, "63") == 0)
		how = hex + 1;
	saved_request_header(r, header, how);
}

static void whichever_signature_came_is_checked(void **state)
{
	static const struct {
		const char *header, *how, *second, *second_how, *word;
	} rows[] = {
		{ "X-Gitea-Signature", "bare", NULL, NULL, "" },
		{ "X-Forgejo-Signature", "bare", NULL, NULL, "" },
		{ "X-Hub-Signature-256", "sha256=...", NULL, NULL, "" },
		{ "X-Gitea-Signature", "bare", "X-Hub-Signature-256", "sha256=...", "" },
		{ "X-Gitea-Signature", "", "X-Hub-Signature-256", "sha256=...", "" },
		{ "X-Gitea-Signature", "other", NULL, NULL, "signature_mismatch" },
		{ "X-Gitea-Signature", "other", "X-Forgejo-Signature", "bare",
		  "signature_mismatch" },
		{ "X-Gitea-Signature", "63", NULL, NULL, "signature_malformed" },
		{ "X-Gitea-Signature", "sha256=...", NULL, NULL, "signature_malformed" },
		{ "X-Hub-Signature-256", "bare", NULL, NULL, "signature_malformed" },
		{ "X-Gitea-Signature", "bare", "X-Gitea-Signature", "bare", "signature_malformed" },
		/* A webhook without a secret. */
		{ "X-Gitea-Signature", "", "X-Hub-Signature-256", "sha256=", "signature_missing" },
		{ "X-Hub-Signature", "sha1=0123456789012345678901234567890123456789", NULL, NULL,
		  "signature_missing" },
		{ "X-Gogs-Signature", "bare", NULL, NULL, "signature_missing" },
	};
	struct fixture *f = *state;

	fixture_of(f, "gitea", URL "#main");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saved_request r = { 0 };
		struct err err = { 0 };
		recorded_body(&r.body, "gitea/push", "");
		saved_request_header(&r, "Content-Type", "application/json");
		add_proof(&r, rows[i].header, rows[i].how);
		if (rows[i].second)
			add_proof(&r, rows[i].second, rows[i].second_how);
		struct webhook_request view = saved_request_view(&r);
		int rc = f->webhook.provider->verify(&f->webhook, &view, &err);
		saved_request_release(&r);
		assert_string_equal(err.word, rows[i].word);
		assert_int_equal(rc, *rows[i].word ? -1 : 0);
		assert_true(rc == 0 || err.code == ERR_DENIED);
	}
}

/* Gitea signs what is in the form, and a proxy that signs anew may sign the form itself. */
static void a_form_is_verified_by_what_is_in_it(void **state)
{
	static const char *const signed_of[] = { "json", "form", "neither" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(signed_of); i++) {
		struct saved_request json = { 0 }, form = { 0 };
		fixture_of(f, "gitea", URL "#main");
		recorded_body(&json.body, "gitea/push", "");
		buf_adds(&form.body, "payload=");
		percent_encode(&form.body, buf_str(&json.body));
		cleanup_free char *signature =
			saved_request_signature(i == 0 ? &json : &form, i == 2 ? "x" : SECRET);
		saved_request_header(&form, "Content-Type", "application/x-www-form-urlencoded");
		saved_request_header(&form, "X-Gitea-Event", "push");
		saved_request_header(&form, "X-Gitea-Delivery", UUID);
		saved_request_header(&form, "X-Gitea-Signature", signature + strlen("sha256="));
		fixture_receive(f, &form);
		assert_int_equal(f->status, i == 2 ? 401 : 202);
		saved_request_release(&json);
		saved_request_release(&form);
	}
}

/* ---- hostile and broken deliveries ---- */

#define PR "pull_request"

static const struct {
	const char *event, *file, *edits;
	const char *delivery, *type;
	int status;
	const char *word;
} answers[] = {
	{ "push", "push", "", UUID, "application/json", 202, "accepted" },
	{ "push", "push", "", "7", "application/json; charset=utf-8", 202, "accepted" },
	{ "push", "push", "", UUID, "text/plain", 415, "media_type" },
	{ "push", "push", "", "", "application/json", 400, "bad_delivery_id" },
	{ "push", "push", "", NULL, "application/json", 400, "bad_delivery_id" },
	{ "push", "push", "", "' OR 1=1--", "application/json", 400, "bad_delivery_id" },
	{ NULL, "push", "", UUID, "application/json", 400, "bad_event" },
	{ "", "push", "", UUID, "application/json", 400, "bad_event" },
	{ "pu\x07sh", "push", "", UUID, "application/json", 400, "bad_event" },
	{ "unknown_event", "push", "", UUID, "application/json", 200, "ignored" },
	{ "push", "push", "-repository", UUID, "application/json", 400, "bad_payload" },
	{ "push", "push", "repository=null", UUID, "application/json", 400, "bad_payload" },
	{ "push", "push", "repository=7", UUID, "application/json", 400, "bad_payload" },
	{ "push", "push", "repository.clone_url=\"/etc\"", UUID, "application/json", 400,
	  "bad_payload" },
	{ "push", "push", "repository.clone_url=\"https://git.example.com:3000/acme/app\"", UUID,
	  "application/json", 200, "ignored" },
	{ "push", "push", "ref=\"main\"", UUID, "application/json", 400, "ref_invalid" },
	{ "push", "push", "ref=\"refs/heads/../../config\"", UUID, "application/json", 400,
	  "ref_invalid" },
	{ "push", "push", "ref=\"refs/heads/-oProxyCommand=x\"", UUID, "application/json", 200,
	  "ignored" },
	{ "push", "push", "after=\"HEAD\"", UUID, "application/json", 400, "sha_invalid" },
	{ "push", "push", "after=7", UUID, "application/json", 400, "bad_payload" },
	{ "push", "push", "-before", UUID, "application/json", 400, "bad_payload" },
	{ "push", "push", "sender=null ; pusher=[]", UUID, "application/json", 202, "accepted" },
	{ "push", "push", "head_commit=null", UUID, "application/json", 202, "accepted" },
	{ "push", "push", "head_commit.message=\"x\\n\\n[no ci]\"", UUID, "application/json", 200,
	  "ignored" },
	{ "push", "push-deleted-tag", "ref=\"refs/heads/main\"", UUID, "application/json", 200,
	  "ignored" },
	{ PR, "pull-opened", "", UUID, "application/json", 200, "ignored" },
	{ PR, "pull-opened-fork", "", UUID, "application/json", 200, "ignored" },
	{ PR, "pull-merged", "", UUID, "application/json", 200, "ignored" },
	{ PR, "pull-opened", "pull_request=null", UUID, "application/json", 400, "bad_payload" },
	{ PR, "pull-opened", "pull_request.number=\"7\"", UUID, "application/json", 400,
	  "bad_payload" },
	{ PR, "pull-opened", "-action", UUID, "application/json", 400, "bad_payload" },
	{ PR, "pull-opened", "pull_request.draft=1", UUID, "application/json", 400, "bad_payload" },
	{ PR, "pull-opened", "pull_request.merged=\"no\"", UUID, "application/json", 400,
	  "bad_payload" },
	{ PR, "pull-opened", "pull_request.base.ref=\"a b\"", UUID, "application/json", 400,
	  "ref_invalid" },
	{ PR, "pull-opened", "pull_request.head.ref=\"refs/pull/7~1\"", UUID, "application/json",
	  400, "ref_invalid" },
	{ PR, "pull-opened", "pull_request.head.sha=\"\"", UUID, "application/json", 400,
	  "bad_payload" },
	{ PR, "pull-opened", "pull_request.head.sha=\"main\"", UUID, "application/json", 400,
	  "sha_invalid" },
};

static void every_delivery_gets_its_answer(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct saved_request r = { 0 };
		cleanup_free char *file = xasprintf("gitea/%s", answers[i].file);
		fixture_of(f, "gitea", URL "#main");
		recorded_body(&r.body, file, answers[i].edits);
		saved_request_header(&r, "Content-Type", answers[i].type);
		if (answers[i].event)
			saved_request_header(&r, "X-Gitea-Event", answers[i].event);
		if (answers[i].delivery)
			saved_request_header(&r, "X-Gitea-Delivery", answers[i].delivery);
		add_proof(&r, "X-Gitea-Signature", "bare");
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

static void the_delivery_id_goes_by_several_names(void **state)
{
	static const char *const names[] = { "X-Gitea-Delivery", "X-Forgejo-Delivery",
					     "X-Gogs-Delivery" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct saved_request r = { 0 };
		cleanup_buf struct buf id = BUF_INIT;
		struct err err;
		for (size_t k = i; k < ARRAY_LEN(names); k++)
			saved_request_header(&r, names[k], k == i ? UUID : "another");
		struct webhook_request view = saved_request_view(&r);
		assert_works(provider_find("gitea")->delivery_id(&id, &view, &err));
		saved_request_release(&r);
		assert_string_equal(id.ptr, UUID);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_recorded_delivery_is_read_as_what_it_is),
		TEST(whichever_signature_came_is_checked),
		TEST(a_form_is_verified_by_what_is_in_it),
		TEST(every_delivery_gets_its_answer),
		TEST(the_delivery_id_goes_by_several_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

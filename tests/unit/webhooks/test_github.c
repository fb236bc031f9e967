#include "tests/unit/webhooks/fixture.h"

static int parse(struct event *out, const char *spec, struct err *err)
{
	struct saved_request r;

	push_request(&r, spec, "d1");
	struct webhook_request view = saved_request_view(&r);
	struct events events = { 0 };
	int rc = provider_find("github")->parse(&events, &view, err);
	if (rc == 0) {
		assert_int_equal(events.len, 1);
		*out = events.items[0];
		events.len = 0;
	}
	events_release(&events);
	saved_request_release(&r);
	return rc;
}

static void githubs_own_example_verifies(void **state)
{
	/* docs.github.com, "Validating webhook deliveries": the published test values. */
	(void)state;
	struct err err;
	struct secret secret = { 0 };
	struct saved_request r = { 0 };
	struct webhook w = { .provider = provider_find("github"),
			     .secrets = &secret,
			     .secrets_len = 1 };

	secret_set(&secret, STR("It's a Secret to Everybody"));
	buf_adds(&r.body, "Hello, World!");
	saved_request_header(
		&r, "x-hub-signature-256",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
	struct webhook_request view = saved_request_view(&r);
	assert_works(w.provider->verify(&w, &view, &err));
	saved_request_release(&r);
	secret_release(&secret);
}

static void both_secrets_of_a_rotation_are_taken(void **state)
{
	struct fixture *f = *state;
	static const char *const keys[] = { SECRET, OLD_SECRET };
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct saved_request r = { 0 };
		buf_adds(&r.body, "{}");
		saved_request_sign(&r, keys[i]);
		struct webhook_request view = saved_request_view(&r);
		assert_works(f->webhook.provider->verify(&f->webhook, &view, &err));
		saved_request_release(&r);
	}
}

static void a_retired_secret_is_refused(void **state)
{
	struct fixture *f = *state;
	struct saved_request r = { 0 };
	struct err err;

	f->webhook.secrets_len = 1;
	buf_adds(&r.body, "{}");
	saved_request_sign(&r, OLD_SECRET);
	struct webhook_request view = saved_request_view(&r);
	assert_fails(f->webhook.provider->verify(&f->webhook, &view, &err), "signature_mismatch");
	assert_int_equal(err.code, ERR_DENIED);
	saved_request_release(&r);
}

static void every_flipped_bit_of_the_body_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct saved_request r = { 0 };
	struct err err;

	buf_adds(&r.body, "{\"ref\":\"refs/heads/main\"}");
	saved_request_sign(&r, SECRET);
	for (size_t bit = 0; bit < r.body.len * 8; bit++) {
		r.body.ptr[bit / 8] ^= (char)(1 << bit % 8);
		struct webhook_request view = saved_request_view(&r);
		assert_fails(f->webhook.provider->verify(&f->webhook, &view, &err),
			     "signature_mismatch");
		r.body.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	saved_request_release(&r);
}

static void a_push_becomes_an_event(void **state)
{
	(void)state;
	struct err err;
	struct event e;

	assert_works(parse(&e, "push ; forced=true", &err));
	assert_int_equal(e.kind, EVENT_PUSH);
	assert_string_equal(e.name, "push");
	assert_string_equal(e.provider, "github");
	assert_string_equal(e.repository, "github.com/acme/app");
	assert_string_equal(e.repository_url, "https://github.com/acme/app.git");
	assert_string_equal(e.ref, "refs/heads/main");
	assert_string_equal(e.before, BEFORE);
	assert_string_equal(e.after, TIP);
	assert_string_equal(e.sender, "octocat");
	assert_true(e.forced);
	assert_false(e.created || e.deleted);
	event_release(&e);
}

static void zeros_say_creation_and_deletion(void **state)
{
	(void)state;
	struct err err;
	struct event e;

	assert_works(parse(&e,
			   "push ; -created ; before=\"0000000000000000000000000000000000000000\"",
			   &err));
	assert_true(e.created && !e.deleted);
	event_release(&e);
	assert_works(parse(
		&e,
		"push ; after=\"0000000000000000000000000000000000000000000000000000000000000000\"",
		&err));
	assert_true(e.deleted && !e.created);
	event_release(&e);
}

static void the_sender_is_the_one_that_github_asserts(void **state)
{
	(void)state;
	struct err err;
	struct event e;

	/* Names in commits are the committer's to choose. */
	assert_works(parse(
		&e,
		"push ; pusher.name=\"mallory\" ; commits=[{\"author\":{\"username\":\"root\"}}]",
		&err));
	assert_string_equal(e.sender, "octocat");
	event_release(&e);
	assert_works(parse(&e, "push ; -sender", &err));
	assert_string_equal(e.sender, "octocat");
	event_release(&e);
	assert_works(parse(&e, "push ; -sender ; -pusher", &err));
	assert_null(e.sender);
	event_release(&e);
}

static void an_unknown_provider_is_none(void **state)
{
	(void)state;
	assert_non_null(provider_find("github"));
	assert_null(provider_find("GitHub"));
	assert_null(provider_find(""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(githubs_own_example_verifies),
		TEST(both_secrets_of_a_rotation_are_taken),
		TEST(a_retired_secret_is_refused),
		TEST(every_flipped_bit_of_the_body_is_noticed),
		TEST(a_push_becomes_an_event),
		TEST(zeros_say_creation_and_deletion),
		TEST(the_sender_is_the_one_that_github_asserts),
		TEST(an_unknown_provider_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

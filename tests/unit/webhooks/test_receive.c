/* Every row of tests/fixtures/hostile-webhook.tsv, and what the answers promise. */
#include "tests/unit/webhooks/fixture.h"

#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "tests/lib/table.h"

enum { ID, INPUT, EVENT, DELIVERY, TYPE, SIGNATURE, BODY, STATUS, WORD, WHY };

/* ---- a row becomes a request ---- */

static void add_header(struct saved_request *r, const char *name, struct str field)
{
	cleanup_buf struct buf value = BUF_INIT;

	if (str_is(field, "absent"))
		return;
	table_decode(&value, field);
	saved_request_header(r, name, value.ptr ? value.ptr : "");
}

static void add_million_keys(struct buf *out)
{
	buf_addc(out, '{');
	for (int i = 0; i < 1000000; i++)
		buf_addf(out, "%s\"k%d\":1", i ? "," : "", i);
	buf_addc(out, '}');
}

static void add_body(struct saved_request *r, struct str field, struct str type)
{
	cleanup_buf struct buf text = BUF_INIT, json = BUF_INIT;

	table_decode(&text, field);
	if (str_starts(field, "push"))
		push_body(&json, buf_str(&text));
	else if (str_is(field, "million-keys"))
		add_million_keys(&json);
	else
		buf_addstr(&json, buf_str(&text));

	if (!str_starts(type, "form")) {
		buf_addstr(&r->body, buf_str(&json));
		return;
	}
	if (str_is(type, "form-with-fields"))
		buf_adds(&r->body, "a=%zz&payloads=x&");
	buf_adds(&r->body, "payload=");
	percent_encode(&r->body, buf_str(&json));
}

static void add_signature(struct saved_request *r, struct str how)
{
	static const char header[] = "X-Hub-Signature-256";
	cleanup_free char *right = saved_request_signature(r, SECRET);
	struct saved_request other = { 0 };

	buf_adds(&other.body, "another body");
	if (str_is(how, "none"))
		;
	else if (str_is(how, "sha1"))
		saved_request_header(r, "X-Hub-Signature",
				     "sha1=0123456789012345678901234567890123456789");
	else if (str_is(how, "other-key"))
		saved_request_sign(r, "It's a Secret to Everybodz");
	else if (str_is(how, "empty-key"))
		saved_request_sign(r, "");
	else if (str_is(how, "other-body")) {
		cleanup_free char *text = saved_request_signature(&other, SECRET);
		saved_request_header(r, header, text);
	} else if (str_is(how, "63")) {
		right[strlen(right) - 1] = '\0';
		saved_request_header(r, header, right);
	} else if (str_is(how, "65")) {
		cleanup_free char *text = xasprintf("%s0", right);
		saved_request_header(r, header, text);
	} else if (str_is(how, "bare")) {
		saved_request_header(r, header, right + strlen("sha256="));
	} else if (str_is(how, "sha512=")) {
		cleanup_free char *text = xasprintf("sha512=%s", right + strlen("sha256="));
		saved_request_header(r, header, text);
	} else if (str_is(how, "empty")) {
		saved_request_header(r, header, "");
	} else if (str_is(how, "no-hex")) {
		right[20] = 'g';
		saved_request_header(r, header, right);
	} else if (str_is(how, "upper")) {
		for (char *p = right + strlen("sha256="); *p; p++)
			*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
		saved_request_header(r, header, right);
	} else {
		saved_request_header(r, header, right);
		if (str_is(how, "twice"))
			saved_request_sign(r, "another key");
		else if (str_is(how, "twice-right"))
			saved_request_header(r, header, right);
		else
			assert_true(str_is(how, "right"));
	}
	saved_request_release(&other);
}

static void add_type(struct saved_request *r, struct str type)
{
	if (str_is(type, "json"))
		type = STR("application/json");
	else if (str_starts(type, "form"))
		type = STR("application/x-www-form-urlencoded");
	add_header(r, "Content-Type", type);
}

/* ---- what every answer keeps to ---- */

static const char *broken_promise(const struct fixture *f)
{
	struct err err = { 0 };
	cleanup_json json_t *body = NULL;

	if (json_read(&body, str_from(f->json), NULL, &err) < 0 || !json_is_object(body))
		return "the body is no JSON object";
	if (str_has_control(str_from(f->json)))
		return "the body holds a control character";
	if (f->status < 300)
		return *f->word ? "a good answer has an error word" : NULL;
	const char *code = NULL, *message = NULL;
	if (json_unpack(body, "{s:{s:s,s:s}}", "error", "code", &code, "message", &message) < 0)
		return "the error has no code and message";
	if (strcmp(code, f->word) != 0)
		return "code and word differ";
	if (strlen(f->json) > 4096)
		return "the error is longer than 4 KiB";
	return *message ? NULL : "the error has no message";
}

static bool row_holds(struct fixture *f, const struct str *row)
{
	struct saved_request r = { 0 };
	size_t before = f->queue.runs, kept = f->queue.kept_len;
	uint64_t status = 0;

	add_body(&r, row[BODY], row[TYPE]);
	add_header(&r, "X-GitHub-Event", row[EVENT]);
	add_header(&r, "X-GitHub-Delivery", row[DELIVERY]);
	add_type(&r, row[TYPE]);
	add_signature(&r, row[SIGNATURE]);
	fixture_receive(f, &r);
	saved_request_release(&r);

	const char *word = *f->word ? f->word : f->verdict;
	const char *broken = broken_promise(f);
	assert_true(str_to_u64(row[STATUS], 599, &status));
	if (!broken && ((int)status != f->status || !str_is(row[WORD], word)))
		broken = "another answer";
	/* A run for 202 alone; a refused delivery leaves no row, an ignored one does. */
	if (!broken && (f->queue.runs - before != (status == 202) ||
			f->queue.kept_len - kept != (status < 300)))
		broken = "other rows were written";
	if (broken)
		print_error(STR_FMT " " STR_FMT ": %s: %d %s (%s)\n", STR_ARG(row[ID]),
			    STR_ARG(row[INPUT]), broken, f->status, word, f->json);
	return !broken;
}

static void every_row_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	struct table t;
	size_t wrong = 0;

	table_load(&t, FIXTURES "/hostile-webhook.tsv");
	assert_true(t.len > 100);
	for (size_t i = 0; i < t.len; i++) {
		if (str_is(t.rows[i][STATUS], "-")) {
			assert_true(t.rows[i][WHY].len > 0);
			continue;
		}
		/* Each row for itself: the queue would know the body from another row. */
		for (size_t k = 0; k < f->queue.kept_len; k++)
			delivery_release(&f->queue.kept[k]);
		f->queue.kept_len = 0;
		wrong += !row_holds(f, t.rows[i]);
	}
	table_release(&t);
	assert_int_equal(wrong, 0);
}

/* ---- the answers ---- */

static void a_push_is_answered_with_its_run(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;

	push_request(&r, "push", "d1");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 202);
	assert_string_equal(f->verdict, "accepted");
	assert_string_equal(f->delivery_id, "d1");
	assert_string_equal(
		f->json, "{\"deliveryId\":\"d1\",\"runs\":[\"ca1\"],\"verdicts\":[{\"registry\":"
			 "\"main\",\"task\":\"web\",\"matched\":true,\"reason\":\"push to main by "
			 "octocat\"}]}");
	assert_string_equal(f->queue.last.build.commit, TIP);
	assert_string_equal(f->queue.last.build.ref, "refs/heads/main");
	assert_string_equal(f->queue.last.source.id, "d1");
	assert_string_equal(f->queue.kept[0].webhook, "github");
	assert_true(f->queue.kept[0].received_ms > 0);
}

static void a_known_delivery_gets_its_first_answer(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;

	push_request(&r, "push", "d1");
	fixture_receive(f, &r);
	cleanup_free char *first = xstrdup(f->json);
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->verdict, "known");
	assert_string_equal(f->json, first);
	assert_int_equal(f->queue.runs, 1);
}

static void the_same_bytes_under_another_id_are_the_same_delivery(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;

	push_request(&r, "push", "d1");
	fixture_receive(f, &r);
	saved_request_release(&r);
	push_request(&r, "push", "d2");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->verdict, "known");
	assert_int_equal(f->queue.runs, 1);
}

static void a_known_id_with_another_body_is_a_conflict(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;

	push_request(&r, "push", "d1");
	fixture_receive(f, &r);
	saved_request_release(&r);
	push_request(&r, "push ; forced=true", "d1");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 409);
	assert_string_equal(f->word, "delivery_conflict");
	assert_string_equal(f->verdict, "refused");
}

static void what_is_not_committed_is_503(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;

	f->queue.fails = true;
	push_request(&r, "push", "d1");
	fixture_receive(f, &r);
	assert_int_equal(f->status, 503);
	assert_string_equal(f->word, "storage");
	assert_string_equal(f->verdict, "unavailable");
	f->queue.fails = false;
	fixture_receive(f, &r); /* the sender tries again */
	saved_request_release(&r);
	assert_int_equal(f->status, 202);
}

static void what_starts_nothing_says_why(void **state)
{
	static const struct {
		const char *spec, *reason;
	} rows[] = {
		{ "push ; ref=\"refs/heads/dev\"",
		  "the task follows refs/heads/main, not refs/heads/dev" },
		{ "push ; ref=\"refs/tags/v1\"",
		  "the task follows refs/heads/main, not refs/tags/v1" },
		{ "push ; deleted=true", "refs/heads/main was deleted" },
		{ "push ; repository.clone_url=\"https://github.com/a/b\"",
		  "no task follows github.com/a/b" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saved_request r;
		cleanup_free char *id = xasprintf("d%zu", i);
		push_request(&r, rows[i].spec, id);
		fixture_receive(f, &r);
		saved_request_release(&r);
		assert_int_equal(f->status, 200);
		assert_has(f->json, rows[i].reason);
		assert_has(f->json, "\"runs\":[]");
	}
	/* All of them are there to be listed. */
	assert_int_equal(f->queue.kept_len, ARRAY_LEN(rows));
}

static void a_broken_url_does_not_break_the_answer(void **state)
{
	struct fixture *f = *state;
	struct saved_request r;
	cleanup_buf struct buf spec = BUF_INIT;

	/* Cut at 200 bytes in the middle of a character, the message would be no UTF-8. */
	buf_adds(&spec, "push ; repository.clone_url=\"x");
	for (int i = 0; i < 300; i++)
		buf_adds(&spec, "\xc3\xb6");
	buf_adds(&spec, "\"");
	push_request(&r, spec.ptr, "d1");
	fixture_receive(f, &r);
	saved_request_release(&r);
	assert_int_equal(f->status, 400);
	assert_string_equal(f->word, "bad_payload");
	assert_has(f->json, "repository.clone_url");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_gets_its_answer),
		TEST(a_push_is_answered_with_its_run),
		TEST(a_known_delivery_gets_its_first_answer),
		TEST(the_same_bytes_under_another_id_are_the_same_delivery),
		TEST(a_known_id_with_another_body_is_a_conflict),
		TEST(what_is_not_committed_is_503),
		TEST(what_starts_nothing_says_why),
		TEST(a_broken_url_does_not_break_the_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

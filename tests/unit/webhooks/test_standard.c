#include "webhooks/standard.h"

#include "tests/lib/saved_request.h"
#include "tests/unit/unit.h"

/* The example of the specification. */
#define KEY  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID   "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define TIME "1614265330"
#define SIGN "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define BODY "{\"test\": 2432232314}"
#define ELSE "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct {
	const char *key, *id, *time, *signature, *body, *word;
} rows[] = {
	{ KEY, ID, TIME, SIGN, BODY, "" },
	{ KEY, ID, TIME, ELSE " v1a,x " SIGN " v1,", BODY, "" },
	{ KEY, ID, TIME, ELSE, BODY, "signature_mismatch" },
	{ KEY, "msg_other", TIME, SIGN, BODY, "signature_mismatch" },
	{ KEY, ID, "1614265331", SIGN, BODY, "signature_mismatch" },
	{ KEY, ID, TIME, SIGN, BODY " ", "signature_mismatch" },
	{ KEY, ID, TIME, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY,
	  "signature_mismatch" },
	{ KEY, ID, TIME, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY,
	  "signature_mismatch" },
	{ KEY, ID, TIME, "v1,g0hM9SsE", BODY, "signature_mismatch" },
	{ KEY, ID, TIME, "v1,!!", BODY, "signature_mismatch" },
	/* Secrets that are no keys match nothing, least of all the signature of the empty key. */
	{ "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ID, TIME, SIGN, BODY, "signature_mismatch" },
	{ "whsec_", ID, TIME, SIGN, BODY, "signature_mismatch" },
	{ "whsec_%%", ID, TIME, SIGN, BODY, "signature_mismatch" },
	{ KEY, NULL, TIME, SIGN, BODY, "signature_missing" },
	{ KEY, ID, NULL, SIGN, BODY, "signature_missing" },
	{ KEY, ID, TIME, NULL, BODY, "signature_missing" },
	{ KEY, ID, TIME, "", BODY, "signature_malformed" },
	{ KEY, "", TIME, SIGN, BODY, "signature_malformed" },
};

static void add(struct saved_request *r, const char *name, const char *value)
{
	if (value)
		saved_request_header(r, name, value);
}

static int verify(const struct saved_request *r, const char *key, struct err *err)
{
	struct secret secrets[2] = { 0 };
	struct webhook w = { .secrets = secrets, .secrets_len = 2 };
	struct webhook_request view = saved_request_view(r);

	secret_set(&secrets[0], STR("a token that is no key"));
	secret_set(&secrets[1], str_from(key));
	int rc = standard_verify(&w, &view, err);
	secret_release(&secrets[0]);
	secret_release(&secrets[1]);
	return rc;
}

static void the_example_of_the_specification_verifies_and_nothing_near_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saved_request r = { 0 };
		struct err err = { 0 };
		add(&r, "Webhook-Id", rows[i].id);
		add(&r, "Webhook-Timestamp", rows[i].time);
		add(&r, "Webhook-Signature", rows[i].signature);
		buf_adds(&r.body, rows[i].body);
		int rc = verify(&r, rows[i].key, &err);
		struct webhook_request view = saved_request_view(&r);
		assert_int_equal(standard_is_signed(&view), rows[i].signature != NULL);
		saved_request_release(&r);
		assert_string_equal(err.word, rows[i].word);
		assert_int_equal(rc, *rows[i].word ? -1 : 0);
		assert_true(rc == 0 || err.code == ERR_DENIED);
	}
}

static void a_header_that_came_twice_proves_nothing(void **state)
{
	(void)state;
	static const char *const names[] = { "webhook-id", "webhook-timestamp",
					     "webhook-signature" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct saved_request r = { 0 };
		struct err err;
		add(&r, "webhook-id", ID);
		add(&r, "webhook-timestamp", TIME);
		add(&r, "webhook-signature", SIGN);
		add(&r, names[i], "another");
		buf_adds(&r.body, BODY);
		assert_fails(verify(&r, KEY, &err), "signature_malformed");
		saved_request_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_specification_verifies_and_nothing_near_it),
		cmocka_unit_test(a_header_that_came_twice_proves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

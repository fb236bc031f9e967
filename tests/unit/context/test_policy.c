/* Every row of tests/fixtures/hostile-git-url.tsv, and what an operator can allow. */
#include "tests/unit/unit.h"

#include "context/policy.h"
#include "tests/lib/table.h"

enum { ID, CHECK, INPUT, WORD };

static struct strvec https_alone, https_and_http;
static struct policy strict = { .schemes = &https_alone };

static int allow_schemes(void **state)
{
	(void)state;
	strvec_push(&https_alone, "https");
	strvec_push(&https_and_http, "https");
	strvec_push(&https_and_http, "http");
	return 0;
}

static int release_schemes(void **state)
{
	(void)state;
	strvec_release(&https_alone);
	strvec_release(&https_and_http);
	return 0;
}

static int check(struct str how, struct str input, struct err *err)
{
	if (str_is(how, "url"))
		return policy_check_url(input, &strict, err);
	return str_is(how, "ref") ? policy_check_ref(input, err) : policy_check_folder(input, err);
}

static bool row_holds(const struct str *row)
{
	struct buf input = BUF_INIT;
	struct err err = { 0 };

	table_decode(&input, row[INPUT]);
	bool refused = check(row[CHECK], buf_str(&input), &err) < 0;
	const char *got = refused ? err.word : "ok";
	bool ok = str_is(row[WORD], got) && (!refused || *err.msg);
	/* Nothing hostile is echoed at length, or with its control characters. */
	ok = ok && strlen(err.msg) <= 400 && !str_has_control(str_from(err.msg));
	if (!ok)
		print_error(STR_FMT " %.80s: %s, want " STR_FMT " (%s)\n", STR_ARG(row[ID]),
			    input.ptr ? input.ptr : "", got, STR_ARG(row[WORD]), err.msg);
	buf_release(&input);
	return ok;
}

static void every_row_gets_its_word(void **state)
{
	struct table t;
	size_t wrong = 0;

	(void)state;
	table_load(&t, FIXTURES "/hostile-git-url.tsv");
	assert_true(t.len > 100);
	for (size_t i = 0; i < t.len; i++) {
		if (!str_is(t.rows[i][CHECK], "elsewhere"))
			wrong += !row_holds(t.rows[i]);
	}
	table_release(&t);
	assert_int_equal(wrong, 0);
}

static void an_operator_opens_schemes_and_ranges(void **state)
{
	static const struct {
		const char *url, *word;
	} rows[] = {
		{ "http://example.org/app.git", "ok" },
		{ "http://example.org:80/app.git", "ok" },
		{ "http://example.org:8080/app.git", "port_denied" },
		{ "git://example.org/app.git", "scheme_denied" },
		{ "https://127.0.0.1/app.git", "ok" },
		{ "http://127.0.0.1:34567/app.git", "ok" },
		{ "http://2130706433:34567/app.git", "ok" },
		{ "http://localhost:34567/app.git", "ok" },
		{ "http://127.0.0.1:99999/app.git", "port_denied" },
		{ "http://[::ffff:127.0.0.1]:3000/app.git", "ok" },
		{ "http://[::1]:3000/app.git", "address_denied" },
		{ "https://10.1.2.3:8443/app.git", "ok" },
		{ "https://10.2.2.3/app.git", "address_denied" },
		{ "https://140.82.121.4:8443/app.git", "port_denied" },
	};
	struct cidr ranges[2];
	const struct policy policy = {
		.schemes = &https_and_http,
		.allowed = ranges,
		.allowed_len = 2,
	};

	(void)state;
	assert_int_equal(cidr_parse(&ranges[0], STR("127.0.0.0/8")), 0);
	assert_int_equal(cidr_parse(&ranges[1], STR("10.1.0.0/16")), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { .word = "ok" };
		policy_check_url(str_from(rows[i].url), &policy, &err);
		if (strcmp(err.word, rows[i].word) != 0)
			fail_msg("%s: %s, want %s", rows[i].url, err.word, rows[i].word);
	}
}

static void an_operator_opens_ports(void **state)
{
	static const struct {
		const char *url, *word;
	} rows[] = {
		{ "https://git.test:3000/app.git", "ok" },
		{ "http://git.test:3000/app.git", "ok" },
		{ "https://git.test:8443/app.git", "ok" },
		{ "https://git.test:443/app.git", "ok" },
		{ "https://git.test:/app.git", "ok" },
		{ "https://git.test:8444/app.git", "port_denied" },
		{ "https://git.test:300/app.git", "port_denied" },
		{ "https://git.test:68536/app.git", "port_denied" }, /* 3000, in 16 bits */
		{ "https://git.test:3000x/app.git", "port_denied" },
		{ "https://127.0.0.1:3000/app.git", "address_denied" },
	};
	static const uint16_t ports[] = { 3000, 8443 };
	const struct policy policy = {
		.schemes = &https_and_http,
		.ports = ports,
		.ports_len = ARRAY_LEN(ports),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { .word = "ok" };
		policy_check_url(str_from(rows[i].url), &policy, &err);
		if (strcmp(err.word, rows[i].word) != 0)
			fail_msg("%s: %s, want %s", rows[i].url, err.word, rows[i].word);
	}
}

static void an_error_does_not_repeat_credentials(void **state)
{
	struct err err;

	(void)state;
	assert_fails(policy_check_url(STR("https://bob:hunter2@host/x"), &strict, &err),
		     "url_has_credentials");
	assert_null(strstr(err.msg, "hunter2"));
	assert_null(strstr(err.msg, "bob"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_gets_its_word),
		cmocka_unit_test(an_operator_opens_schemes_and_ranges),
		cmocka_unit_test(an_operator_opens_ports),
		cmocka_unit_test(an_error_does_not_repeat_credentials),
	};
	return cmocka_run_group_tests(tests, allow_schemes, release_schemes);
}

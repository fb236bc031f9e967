/* The opaque $skipToken of a listing. */
#include "server/query.h"
#include "tests/unit/unit.h"

static void token_comes_back_as_it_was_made(void **state)
{
	const struct skip_token rows[] = { { 1, 0 }, { 4711, 100 }, { INT64_MAX, 1000000 } };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct skip_token back = { 0 };
		char *text = skip_token_text(&rows[i]);
		assert_works(skip_token_read(&back, str_from(text), &err));
		assert_int_equal(back.before_seq, rows[i].before_seq);
		assert_int_equal(back.sent, rows[i].sent);
		free(text);
	}
}

static void token_of_somebody_else_is_refused(void **state)
{
	static const char *const rows[] = {
		"",           ".",    "1",    "1.",    ".1",
		"a.b",        "-1.0", "1.-1", "1.2.3", "99999999999999999999.0",
		"' OR 1=1;--"
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct skip_token token;
		assert_fails(skip_token_read(&token, str_from(rows[i]), &err), "bad_query");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_comes_back_as_it_was_made),
		cmocka_unit_test(token_of_somebody_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

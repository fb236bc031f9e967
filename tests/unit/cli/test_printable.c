#include "tests/unit/unit.h"

#include "cli/printable.h"

static void a_terminal_is_shown_nothing_that_it_obeys(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "plain text, 100 %", "plain text, 100 %" },
		{ "grün ✓ 日本", "grün ✓ 日本" },
		{ "a\tb\r\nc", "a b  c" },
		{ "\033[2J\033]0;title\007", "?[2J?]0;title?" },
		{ "del\177", "del?" },
		{ "csi\xc2\x9b"
		  "31m",
		  "csi?31m" },
		{ "first printable above: \xc2\xa0", "first printable above: \xc2\xa0" },
		{ "latin\xe9 1", "latin? 1" },
		{ "cut \xe2\x9c", "cut ??" },
		{ "overlong \xc0\xaf", "overlong ??" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = BUF_INIT;
		printable_add(&out, rows[i].text);
		assert_string_equal(buf_str(&out).ptr, rows[i].shown);
		buf_release(&out);
	}
}

static void no_text_is_nothing(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;

	printable_add(&out, NULL);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_is_shown_nothing_that_it_obeys),
		cmocka_unit_test(no_text_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

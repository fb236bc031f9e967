#include "tests/unit/unit.h"

#include "common/str.h"

static void slices_are_clamped(void **state)
{
	(void)state;
	struct str s = STR("abcdef");

	assert_true(str_is(str_slice(s, 1, 3), "bc"));
	assert_true(str_is(str_slice(s, 4, 99), "ef"));
	assert_int_equal(str_slice(s, 9, 3).len, 0);
	assert_true(str_is(str_after(s, 5), "f"));
	assert_int_equal(str_after(s, 7).len, 0);
	assert_int_equal(str_from(NULL).len, 0);
}

static void finds_prefixes_suffixes_and_characters(void **state)
{
	(void)state;
	struct str s = STR("refs/heads/main");

	assert_true(str_starts(s, "refs/"));
	assert_false(str_starts(STR("re"), "refs/"));
	assert_true(str_ends(s, "main"));
	assert_false(str_ends(STR("n"), "main"));
	assert_int_equal(str_find(s, '/', 0), 4);
	assert_int_equal(str_find(s, '/', 5), 10);
	assert_int_equal(str_find(s, '/', 99), s.len);
}

static void compares_ascii_without_case(void **state)
{
	(void)state;
	assert_true(str_is_i(STR("Content-TYPE"), "content-type"));
	assert_false(str_is_i(STR("a["), "a{"));
	assert_false(str_is_i(STR("ab"), "abc"));
	assert_true(str_eq((struct str){ NULL, 0 }, STR("")));
}

static void trims_blanks_at_both_ends(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
	assert_int_equal(str_trim(STR(" \r\n\t")).len, 0);
}

static void sees_control_bytes(void **state)
{
	(void)state;
	assert_false(str_has_control(STR("plain \xc3\xa9")));
	assert_true(str_has_control(STR("a\x7f")));
	assert_true(str_has_control(STR("a\0b")));
}

static void knows_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "", true },
		{ "plain text that is longer than eight bytes", true },
		{ "\xc3\xa9", true },
		{ "\xe2\x82\xac and more ascii behind", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
		{ "\xc0\xaf", false },         /* overlong */
		{ "\xe0\x80\xaf", false },     /* overlong */
		{ "\xf0\x80\x80\xaf", false }, /* overlong */
		{ "\xed\xa0\x80", false },     /* surrogate */
		{ "\x80", false },             /* stray continuation */
		{ "abcdefgh\xff", false },     /* never valid */
		{ "\xe2\x82", false },         /* cut */
		{ "abcdefg\xc3", false },      /* cut at the end */
		{ "\xf0\x9f\x98\x41", false }, /* bad third continuation */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_is_utf8(str_from(rows[i].text)) != rows[i].good)
			fail_msg("row %zu", i);
	}
}

static void splits_with_empty_parts(void **state)
{
	(void)state;
	struct str rest = STR("a,,b,"), part;
	static const char *const parts[] = { "a", "", "b", "" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		assert_true(str_split(&rest, ',', &part));
		assert_true(str_is(part, parts[i]));
	}
	assert_false(str_split(&rest, ',', &part));
}

static void reads_numbers_without_wrapping(void **state)
{
	(void)state;
	uint64_t n = 7;

	assert_true(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &n));
	assert_true(str_to_u64(STR("65535"), 65535, &n));
	assert_false(str_to_u64(STR("65536"), 65535, &n));
	assert_false(str_to_u64(STR("9"), 5, &n));
	static const char *const bad[] = { "", "+1", "-1", " 1", "1 ", "0x1", "1e3", "a" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_to_u64(str_from(bad[i]), UINT64_MAX, &n));
}

static void guesses_the_word_that_was_meant(void **state)
{
	(void)state;
	static const char *const words[] = { "dockerfile", "listen", "registries", "run", NULL };

	assert_string_equal(str_nearest(STR("dokcerfile"), words), "dockerfile");
	assert_string_equal(str_nearest(STR("Listen"), words), "listen");
	assert_string_equal(str_nearest(STR("registry"), words), "registries");
	assert_null(str_nearest(STR("zzz"), words));
	char lengthy[200];
	memset(lengthy, 'a', sizeof lengthy);
	assert_null(str_nearest((struct str){ lengthy, sizeof lengthy }, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_clamped),
		cmocka_unit_test(finds_prefixes_suffixes_and_characters),
		cmocka_unit_test(compares_ascii_without_case),
		cmocka_unit_test(trims_blanks_at_both_ends),
		cmocka_unit_test(sees_control_bytes),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(splits_with_empty_parts),
		cmocka_unit_test(reads_numbers_without_wrapping),
		cmocka_unit_test(guesses_the_word_that_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

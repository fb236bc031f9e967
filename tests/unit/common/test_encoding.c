#include "tests/unit/unit.h"

#include "common/crypto.h"
#include "common/scope.h"

static void hex_goes_both_ways_and_takes_either_case(void **state)
{
	(void)state;
	unsigned char bytes[3];
	cleanup_free char *text = hex_encode("\x00\xff\x1a", 3);

	assert_string_equal(text, "00ff1a");
	assert_true(hex_decode(bytes, 3, STR("00Ff1A")));
	assert_memory_equal(bytes, "\x00\xff\x1a", 3);
	static const char *const bad[] = { "00ff1", "00ff1a0", "00ff1g", "", "0x00ff", "00ff-1" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(hex_decode(bytes, 3, str_from(bad[i])));
}

static void base64_follows_rfc_4648(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *coded;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *coded = base64_encode(str_from(rows[i].plain));
		assert_string_equal(coded, rows[i].coded);
		cleanup_buf struct buf plain = BUF_INIT;
		assert_int_equal(base64_decode(&plain, str_from(rows[i].coded)), 0);
		assert_true(str_is(buf_str(&plain), rows[i].plain));
	}
	cleanup_buf struct buf bytes = BUF_INIT;
	assert_int_equal(base64_decode(&bytes, STR("+/8=")), 0);
	assert_memory_equal(bytes.ptr, "\xfb\xff", 2);
}

static void base64_padding_may_be_left_out_but_not_be_wrong(void **state)
{
	(void)state;
	cleanup_buf struct buf out = BUF_INIT;

	assert_int_equal(base64_decode(&out, STR("Zm8")), 0);
	assert_string_equal(out.ptr, "fo");
	static const char *const bad[] = { "Z", "Zg=",   "Zg===",  "Zm9v=", "Z=g=", "====",
					   "=", "Zm 9v", "Zm9v\n", "Zm-_",  "Zh==", "Zm9=" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (base64_decode(&out, str_from(bad[i])) == 0)
			fail_msg("accepted %s", bad[i]);
		assert_string_equal(out.ptr, "fo");
	}
}

static void base64_respects_the_ceiling(void **state)
{
	(void)state;
	cleanup_buf struct buf out = BUF_LIMIT(4);
	assert_int_equal(base64_decode(&out, STR("Zm9vYmFyZm9vYmFy")), -1);
	assert_int_equal(out.len, 0);
}

static void percent_decodes_paths_and_forms(void **state)
{
	(void)state;
	cleanup_buf struct buf out = BUF_INIT;

	assert_int_equal(percent_decode(&out, STR("a%20b+c%2F%c3%A9"), false), 0);
	assert_string_equal(out.ptr, "a b+c/\xc3\xa9");
	buf_clear(&out);
	assert_int_equal(percent_decode(&out, STR("a+b%2B%00"), true), 0);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.ptr, "a b+\0", 5);
	static const char *const bad[] = { "%", "%1", "%g0", "a%0", "%%41", "%-1" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(percent_decode(&out, str_from(bad[i]), false), -1);
	assert_int_equal(out.len, 5);
}

static void percent_encodes_all_that_is_not_plain(void **state)
{
	(void)state;
	cleanup_buf struct buf out = BUF_INIT;
	percent_encode(&out, STR("aZ09._~-/ \xc3\xa9\0%"));
	assert_string_equal(out.ptr, "aZ09._~-%2F%20%C3%A9%00%25");
}

static void tokens_are_lower_case_and_never_the_same(void **state)
{
	(void)state;
	cleanup_free char *a = random_token(16), *b = random_token(16), *c = random_token(0);

	assert_int_equal(strlen(a), 26);
	assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), 26);
	assert_string_not_equal(a, b);
	assert_string_equal(c, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_both_ways_and_takes_either_case),
		cmocka_unit_test(base64_follows_rfc_4648),
		cmocka_unit_test(base64_padding_may_be_left_out_but_not_be_wrong),
		cmocka_unit_test(base64_respects_the_ceiling),
		cmocka_unit_test(percent_decodes_paths_and_forms),
		cmocka_unit_test(percent_encodes_all_that_is_not_plain),
		cmocka_unit_test(tokens_are_lower_case_and_never_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

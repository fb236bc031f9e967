#include "tests/unit/unit.h"

#include "common/str.h"

static void carries_code_word_and_message(void **state)
{
	(void)state;
	struct err err = { 0 };

	assert_int_equal(err_set(&err, ERR_LIMIT, "too_large", "%d bytes", 9), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(err_is(&err, "too_large"));
	assert_false(err_is(&err, "too_small"));
	assert_string_equal(err.msg, "9 bytes");
	assert_string_equal(err_code_name(err.code), "limit");
}

static void wraps_from_the_outside(void **state)
{
	(void)state;
	struct err err = { 0 };

	err_set_errno(&err, ERR_NOTFOUND, "storage", 2, "cannot open %s", "x");
	assert_int_equal(err_wrap(&err, "run %s", "ca1"), -1);
	assert_string_equal(err.msg, "run ca1: cannot open x: No such file or directory");
	assert_string_equal(err.word, "storage");
}

static void lets_no_control_byte_through(void **state)
{
	(void)state;
	struct err err = { 0 };

	err_set(&err, ERR_INVALID, "w", "a\x1b[31m\r\nb\x7f");
	assert_string_equal(err.msg, "a?[31m??b?");
	err_wrap(&err, "x\ny");
	assert_string_equal(err.msg, "x?y: a?[31m??b?");
}

static void lets_nothing_but_utf8_through(void **state)
{
	(void)state;
	struct err err = { 0 };

	err_set(&err, ERR_INVALID, "w", "\xc3\xb6 \xff \xc2\x9b[31m %.1s", "\xc3\xb6");
	assert_string_equal(err.msg, "\xc3\xb6 ? ??[31m ?");
	for (int i = 0; i < 300; i++)
		err_wrap(&err, "\xc3\xb6");
	assert_true(str_is_utf8(str_from(err.msg)));
}

static void cuts_what_is_too_long(void **state)
{
	(void)state;
	struct err err = { 0 };
	char text[3 * ERR_MSG_BYTES];

	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	err_set(&err, ERR_INVALID, text, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_BYTES - 1);
	assert_int_equal(strlen(err.word), ERR_WORD_BYTES - 1);
	err_wrap(&err, "%s", text);
	err_set_errno(&err, ERR_INVALID, "w", 2, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_BYTES - 1);
}

static void may_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_INVALID, "w", "x"), -1);
	assert_int_equal(err_set_errno(NULL, ERR_INVALID, "w", 2, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_code_word_and_message),
		cmocka_unit_test(wraps_from_the_outside),
		cmocka_unit_test(lets_no_control_byte_through),
		cmocka_unit_test(lets_nothing_but_utf8_through),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(may_be_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

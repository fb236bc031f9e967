#include "tests/unit/unit.h"

#include "common/buf.h"

static void grows_and_stays_terminated(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_addf(&b, "%d,", i), 0);
	assert_int_equal(b.len, strlen(b.ptr));
	assert_true(str_starts(buf_str(&b), "0,1,2,"));
	buf_release(&b);
	assert_null(b.ptr);
}

static void refuses_what_passes_its_ceiling_and_stays_as_it_was(void **state)
{
	(void)state;
	struct buf b = BUF_LIMIT(4);

	assert_int_equal(buf_adds(&b, "abc"), 0);
	assert_int_equal(buf_adds(&b, "de"), -1);
	assert_true(b.full);
	assert_string_equal(b.ptr, "abc");
	assert_int_equal(buf_addf(&b, "%d", 12), -1);
	assert_int_equal(buf_addc(&b, 'd'), 0);
	assert_string_equal(b.ptr, "abcd");
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -1);
	buf_clear(&b);
	assert_false(b.full);
	buf_release(&b);
}

static void holds_any_byte(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;

	buf_add(&b, "a\0b", 3);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.ptr, "a\0b", 4);
	buf_release(&b);
}

static void drops_what_was_consumed(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;

	buf_adds(&b, "abcdef");
	buf_drop_front(&b, 2);
	assert_string_equal(b.ptr, "cdef");
	buf_drop_front(&b, 0);
	buf_truncate(&b, 1);
	assert_string_equal(b.ptr, "c");
	buf_truncate(&b, 9);
	assert_int_equal(b.len, 1);
	buf_drop_front(&b, 1);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void detaches_its_text_or_an_empty_one(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;

	char *none = buf_detach(&b);
	assert_string_equal(none, "");
	buf_adds(&b, "x");
	char *text = buf_detach(&b);
	assert_string_equal(text, "x");
	assert_null(b.ptr);
	assert_string_equal(buf_str(&b).ptr, "");
	free(none);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(refuses_what_passes_its_ceiling_and_stays_as_it_was),
		cmocka_unit_test(holds_any_byte),
		cmocka_unit_test(drops_what_was_consumed),
		cmocka_unit_test(detaches_its_text_or_an_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "common/strvec.h"

static void is_an_argv_at_any_length(void **state)
{
	(void)state;
	struct strvec v = { 0 };

	for (int i = 0; i < 100; i++) {
		strvec_pushf(&v, "%d", i);
		assert_null(v.items[v.len]);
	}
	assert_int_equal(strvec_find(&v, "42"), 42);
	assert_int_equal(strvec_find(&v, "none"), -1);
	strvec_release(&v);
	assert_null(v.items);
	strvec_release(&v);
}

static void copies_what_it_is_given(void **state)
{
	(void)state;
	struct strvec a = { 0 }, b = { 0 };
	char text[] = "abc";

	strvec_push(&a, text);
	strvec_push_str(&a, str_slice(str_from(text), 0, 2));
	strvec_push_take(&a, xstrdup("own"));
	text[0] = 'X';
	strvec_push_all(&b, &a);
	strvec_release(&a);
	assert_int_equal(b.len, 3);
	assert_string_equal(b.items[0], "abc");
	assert_string_equal(b.items[1], "ab");
	assert_string_equal(b.items[2], "own");
	strvec_release(&b);
}

static void each_visits_nothing_in_an_empty_one(void **state)
{
	(void)state;
	struct strvec v = { 0 };
	size_t visits = 0;

	STRVEC_FOREACH (item, &v)
		visits += item != NULL;
	assert_int_equal(visits, 0);
	strvec_push(&v, "a");
	STRVEC_FOREACH (item, &v)
		visits += strlen(*item);
	assert_int_equal(visits, 1);
	strvec_release(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_an_argv_at_any_length),
		cmocka_unit_test(copies_what_it_is_given),
		cmocka_unit_test(each_visits_nothing_in_an_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

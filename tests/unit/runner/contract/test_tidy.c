#include "runner/contract/tidy.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/unit.h"

static json_t *parse(const char *text)
{
	struct err err;
	json_t *object = NULL;

	assert_works(json_read(&object, str_from(text), NULL, &err));
	return object;
}

static void order_comes_back_as_it_was(void **state)
{
	struct tidy_order order = { xstrdup("/data"), INT64_C(20) << 30, 2048 }, back;
	cleanup_json json_t *object = tidy_order_to_json(&order);
	struct err err;
	(void)state;

	assert_works(tidy_order_from_json(&back, object, &err));
	assert_string_equal(back.data_dir, "/data");
	assert_true(back.git_bytes == INT64_C(20) << 30 && back.min_free_bytes == 2048);
	tidy_order_release(&order);
	tidy_order_release(&back);
}

static void order_without_a_folder_or_with_nonsense_is_refused(void **state)
{
	static const char *const texts[] = { "{}", "{\"dataDir\":3}",
					     "{\"dataDir\":\"/d\",\"gitBytes\":-1}",
					     "{\"dataDir\":\"/d\",\"minFreeBytes\":\"2G\"}" };
	struct tidy_order order;
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cleanup_json json_t *object = parse(texts[i]);
		assert_fails(tidy_order_from_json(&order, object, &err), "spec_invalid");
	}
}

static void answer_comes_back_as_it_was(void **state)
{
	struct tidy_answer answer = { 1, 2, 3, 4, 5, 6, xstrdup("no room") }, back;
	cleanup_json json_t *object = tidy_answer_to_json(&answer);
	struct err err;
	(void)state;

	assert_works(tidy_answer_from_json(&back, object, &err));
	assert_true(back.mirrors == 1 && back.bytes == 2 && back.removed == 3);
	assert_true(back.freed_bytes == 4 && back.busy == 5 && back.repacked == 6);
	assert_string_equal(back.problem, "no room");
	tidy_answer_release(&answer);
	tidy_answer_release(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_comes_back_as_it_was),
		cmocka_unit_test(order_without_a_folder_or_with_nonsense_is_refused),
		cmocka_unit_test(answer_comes_back_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

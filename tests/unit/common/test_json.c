#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"

static struct err err;

static json_t *read_text(const char *text)
{
	json_t *root = NULL;
	assert_works(json_read(&root, str_from(text), NULL, &err));
	return root;
}

static void reads_any_root(void **state)
{
	(void)state;
	cleanup_json json_t *object = read_text("{\"a\":1}"), *null = read_text("null");
	assert_true(json_is_object(object));
	assert_true(json_is_null(null));
}

static void refuses_what_the_scanner_refuses_and_duplicates(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "{", "bad_json" },
		{ "{\"a\":\"\\ud800\"}", "bad_json" },
		{ "{} x", "bad_json" },
		{ "[1e999]", "bad_json" },
		{ "{\"a\":1,\"a\":2}", "bad_json" },
		{ "{\"x\":[{\"a\":1,\"\\u0061\":2}]}", "bad_json" },
		{ "[[[[]]]]", "json_too_deep" },
		{ "[1,2,3,4,5,6]", "json_too_big" },
	};
	struct json_limits limits = { .depth = 3, .nodes = 6 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *root = NULL;
		assert_fails(json_read(&root, str_from(rows[i].text), &limits, &err), rows[i].word);
		assert_null(root);
	}
}

static void getters_name_the_field(void **state)
{
	(void)state;
	cleanup_json json_t *o = read_text("{\"s\":\"x\",\"n\":5,\"f\":5.0,\"l\":[\"a\",1]}");
	const char *text = "kept";
	int64_t number = 7;
	bool flag = true;
	json_t *child = NULL;
	struct strvec list = { 0 };

	assert_fails(json_need_string(o, "properties", "n", &text, &err), "bad_request");
	assert_string_equal(err.msg, "properties.n: must be a string");
	assert_fails(json_need_string(o, "", "missing", &text, &err), "bad_request");
	assert_string_equal(err.msg, "missing: is required, a string");
	assert_fails(json_opt_bool(o, NULL, "s", &flag, &err), "bad_request");
	assert_fails(json_opt_int(o, "p", "s", 0, 9, &number, &err), "bad_request");
	assert_fails(json_opt_int(o, "p", "f", 0, 9, &number, &err), "bad_request");
	assert_fails(json_opt_int(o, "p", "n", 6, 9, &number, &err), "bad_request");
	assert_string_equal(err.msg, "p.n: must be a whole number from 6 to 9");
	assert_fails(json_opt_object(o, "p", "l", &child, &err), "bad_request");
	assert_fails(json_opt_array(o, "p", "s", &child, &err), "bad_request");
	assert_fails(json_opt_strings(o, "p", "l", &list, &err), "bad_request");
	assert_string_equal(text, "kept");
	assert_int_equal(number, 7);
	assert_null(child);
	assert_int_equal(list.len, 0);
}

static void getters_refuse_what_is_no_object(void **state)
{
	(void)state;
	cleanup_json json_t *array = read_text("[1]");
	const char *text = NULL;

	assert_fails(json_opt_string(array, "", "s", &text, &err), "bad_request");
	assert_string_equal(err.msg, "the body: must be an object");
	assert_fails(json_opt_string(array, "properties.step", "s", &text, &err), "bad_request");
	assert_string_equal(err.msg, "properties.step: must be an object");
}

static void absent_and_null_leave_the_default(void **state)
{
	(void)state;
	cleanup_json json_t *o = read_text("{\"a\":null}");
	const char *text = "kept";
	int64_t number = 7;
	bool flag = true;
	json_t *child = o;
	struct strvec list = { 0 };

	static const char *const keys[] = { "a", "missing" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_works(json_opt_string(o, "", keys[i], &text, &err));
		assert_works(json_opt_int(o, "", keys[i], 0, 1, &number, &err));
		assert_works(json_opt_bool(o, "", keys[i], &flag, &err));
		assert_works(json_opt_object(o, "", keys[i], &child, &err));
		assert_works(json_opt_array(o, "", keys[i], &child, &err));
		assert_works(json_opt_strings(o, "", keys[i], &list, &err));
	}
	assert_string_equal(text, "kept");
	assert_int_equal(number, 7);
	assert_true(flag && child == o && list.len == 0);
}

static void getters_give_the_values(void **state)
{
	(void)state;
	cleanup_json json_t *o = read_text("{\"s\":\"x\",\"n\":-5,\"b\":true,\"o\":{},\"l\":[\"a\","
					   "\"b\"]}");
	const char *text = NULL;
	int64_t number = 0;
	bool flag = false;
	json_t *child = NULL;
	struct strvec list = { 0 };

	assert_works(json_need_string(o, "", "s", &text, &err));
	assert_string_equal(text, "x");
	assert_works(json_opt_int(o, "", "n", -5, 0, &number, &err));
	assert_int_equal(number, -5);
	assert_works(json_opt_bool(o, "", "b", &flag, &err));
	assert_true(flag);
	assert_works(json_opt_object(o, "", "o", &child, &err));
	assert_true(json_is_object(child));
	assert_works(json_opt_array(o, "", "l", &child, &err));
	assert_int_equal(json_array_size(child), 2);
	assert_works(json_opt_strings(o, "", "l", &list, &err));
	assert_string_equal(list.items[1], "b");
	strvec_release(&list);
}

static void writes_text_that_can_be_read_back(void **state)
{
	(void)state;
	cleanup_json json_t *o = json_object();
	json_put_string(o, "a", "x\"\n\xc3\xa9");
	json_put_string(o, "none", NULL);
	json_put_string(o, "broken", "a\xff\xc3z");
	json_put_time(o, "at", 1706702400123);
	json_put_time(o, "never", 0);

	cleanup_free char *text = json_text(o);
	assert_string_equal(text, "{\"a\":\"x\\\"\\n\xc3\xa9\",\"broken\":\"a\xef\xbf\xbd\xef\xbf"
				  "\xbdz\",\"at\":\"2024-01-31T12:00:00.123Z\"}");
	cleanup_json json_t *again = read_text(text);
	assert_true(json_equal(o, again));
	cleanup_free char *scalar = json_text(json_object_get(o, "at"));
	assert_string_equal(scalar, "\"2024-01-31T12:00:00.123Z\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_any_root),
		cmocka_unit_test(refuses_what_the_scanner_refuses_and_duplicates),
		cmocka_unit_test(getters_name_the_field),
		cmocka_unit_test(getters_refuse_what_is_no_object),
		cmocka_unit_test(absent_and_null_leave_the_default),
		cmocka_unit_test(getters_give_the_values),
		cmocka_unit_test(writes_text_that_can_be_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "cli/output.h"
#include "common/scope.h"

static struct err err;

static const struct column columns[] = {
	{ "RUN ID", "runId", NULL },
	{ "STATUS", "status", NULL },
	{ 0 },
};
static const struct view runs = { "runId", columns };

static const char one[] = "{\"id\":\"/v1/x\",\"name\":\"ca1\",\"type\":\"run\","
			  "\"properties\":{\"runId\":\"ca1\",\"status\":\"Failed\"}}";
static const char two[] =
	"[{\"name\":\"ca2\",\"properties\":{\"runId\":\"ca2\",\"status\":\"Queued\"}},"
	"{\"name\":\"ca1\",\"properties\":{\"runId\":\"ca1\",\"status\":\"Failed\"}}]";

static char *output(struct cli cli, const char *json)
{
	cleanup_json json_t *value = json_loads(json, 0, NULL);
	struct buf out = BUF_INIT;

	assert_non_null(value);
	assert_works(output_add(&out, &cli, value, &runs, &err));
	return buf_detach(&out);
}

static void properties_are_lifted_to_the_top(void **state)
{
	(void)state;
	cleanup_json json_t *resource = json_loads(one, 0, NULL);
	cleanup_json json_t *flat = output_lift(resource);

	assert_null(json_object_get(flat, "properties"));
	assert_string_equal(json_string_value(json_object_get(flat, "status")), "Failed");
	assert_string_equal(json_string_value(json_object_get(flat, "name")), "ca1");
	assert_non_null(json_object_get(resource, "properties"));
}

static void what_has_no_properties_stays_as_it_is(void **state)
{
	(void)state;
	static const char *const rows[] = { "{\"a\":1}", "{\"properties\":7}",
					    "[1]",       "\"x\"",
					    "null",      "{}" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_json json_t *value = json_loads(rows[i], JSON_DECODE_ANY, NULL);
		cleanup_json json_t *flat = output_lift(value);
		assert_true(json_equal(value, flat));
	}
}

static void json_is_an_object_or_an_array(void **state)
{
	(void)state;
	struct cli cli = { .format = OUTPUT_JSON };
	cleanup_free char *object = output(cli, one), *array = output(cli, two),
			  *empty = output(cli, "[]");
	cleanup_json json_t *read = json_loads(array, 0, NULL);

	assert_has(object, "{\n  \"id\": \"/v1/x\",\n");
	assert_has(object, "\n  \"runId\": \"ca1\"");
	assert_int_equal(json_array_size(read), 2);
	assert_string_equal(empty, "[]\n");
}

static void jsonl_is_an_object_a_line(void **state)
{
	(void)state;
	struct cli cli = { .format = OUTPUT_JSONL };
	cleanup_free char *array = output(cli, two), *empty = output(cli, "[]"),
			  *object = output(cli, one);

	assert_string_equal(array, "{\"name\":\"ca2\",\"runId\":\"ca2\",\"status\":\"Queued\"}\n"
				   "{\"name\":\"ca1\",\"runId\":\"ca1\",\"status\":\"Failed\"}\n");
	assert_string_equal(empty, "");
	assert_string_equal(object,
			    "{\"id\":\"/v1/x\",\"name\":\"ca1\",\"type\":\"run\",\"runId\":\"ca1\","
			    "\"status\":\"Failed\"}\n");
}

static void tsv_and_table_are_the_view_s_columns(void **state)
{
	(void)state;
	cleanup_free char *tsv = output((struct cli){ .format = OUTPUT_TSV }, two),
			  *table = output((struct cli){ .format = OUTPUT_TABLE }, two);

	assert_string_equal(tsv, "ca2\tQueued\nca1\tFailed\n");
	assert_has(table, "RUN ID  STATUS");
	assert_has(table, "ca1     Failed\n");
}

static void quiet_is_ids_whatever_the_format(void **state)
{
	(void)state;
	for (int format = OUTPUT_TABLE; format <= OUTPUT_TSV; format++) {
		struct cli cli = { .format = (enum output_format)format, .quiet = true };
		cleanup_free char *array = output(cli, two), *object = output(cli, one),
				  *none = output(cli, "[{\"name\":\"x\"}]");
		assert_string_equal(array, "ca2\nca1\n");
		assert_string_equal(object, "ca1\n");
		assert_string_equal(none, "");
	}
}

static void jq_sees_what_json_would_show(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *shown;
	} rows[] = {
		{ ".[].status", "Queued\nFailed\n" },
		{ "length", "2\n" },
		{ "map(.runId)", "[\"ca2\",\"ca1\"]\n" },
		{ ".[] | select(.status == \"Failed\") | .runId", "ca1\n" },
		{ "empty", "" },
		{ ".[0].properties", "null\n" },
		{ "\"\\u001b[2J\"", "\033[2J\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = output((struct cli){ .jq = rows[i].expression }, two);
		assert_string_equal(text, rows[i].shown);
	}
}

static void a_wrong_jq_expression_is_a_usage_error(void **state)
{
	(void)state;
	static const char *const rows[] = { ".[", "nosuch", ".[0].name + 1", "error(\"mine\")",
					    "error({a: 1})" };
	cleanup_json json_t *value = json_loads(two, 0, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_buf struct buf out = BUF_INIT;
		struct cli cli = { .jq = rows[i] };
		assert_fails(output_add(&out, &cli, value, &runs, &err), "usage");
		assert_has(err.msg, "--jq: ");
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void results_before_a_jq_error_are_kept(void **state)
{
	(void)state;
	cleanup_json json_t *value = json_loads(two, 0, NULL);
	cleanup_buf struct buf out = BUF_INIT;
	struct cli cli = { .jq = ".[0].runId, error(\"mine\")" };

	assert_fails(output_add(&out, &cli, value, &runs, &err), "usage");
	assert_string_equal(err.msg, "--jq: mine");
	assert_string_equal(out.ptr, "ca2\n");
}

static void a_result_for_a_program_owns_standard_output(void **state)
{
	(void)state;
	assert_true(output_is_data(&(struct cli){ .format = OUTPUT_JSON }));
	assert_true(output_is_data(&(struct cli){ .format = OUTPUT_JSONL }));
	assert_true(output_is_data(&(struct cli){ .quiet = true }));
	assert_true(output_is_data(&(struct cli){ .jq = "." }));
	assert_false(output_is_data(&(struct cli){ .format = OUTPUT_TABLE }));
	assert_false(output_is_data(&(struct cli){ .format = OUTPUT_TSV }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_are_lifted_to_the_top),
		cmocka_unit_test(what_has_no_properties_stays_as_it_is),
		cmocka_unit_test(json_is_an_object_or_an_array),
		cmocka_unit_test(jsonl_is_an_object_a_line),
		cmocka_unit_test(tsv_and_table_are_the_view_s_columns),
		cmocka_unit_test(quiet_is_ids_whatever_the_format),
		cmocka_unit_test(jq_sees_what_json_would_show),
		cmocka_unit_test(a_wrong_jq_expression_is_a_usage_error),
		cmocka_unit_test(results_before_a_jq_error_are_kept),
		cmocka_unit_test(a_result_for_a_program_owns_standard_output),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

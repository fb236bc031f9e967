#include "tests/unit/unit.h"

#include "cli/record.h"
#include "common/scope.h"

static char *shown(const char *json)
{
	cleanup_json json_t *run = json_loads(json, 0, NULL);
	struct buf out = BUF_INIT;

	assert_non_null(run);
	record_add_run(&out, run);
	return buf_detach(&out);
}

static void a_run_is_told_line_by_line(void **state)
{
	(void)state;
	cleanup_free char *text = shown(
		"{\"runId\":\"ca1\",\"status\":\"Succeeded\",\"task\":null,\"reason\":\"\","
		"\"steps\":[{\"name\":\"fetch\",\"status\":\"Succeeded\",\"start\":\"2026-01-01T00:00:00Z\","
		"\"end\":\"2026-01-01T00:00:02Z\"},{\"name\":\"build\",\"status\":\"Running\"}],"
		"\"timings\":{\"queued\":3,\"fetch\":2000},"
		"\"outputImages\":[{\"registry\":\"127.0.0.1:5000\",\"repository\":\"app\",\"tag\":\"v1\","
		"\"digest\":\"sha256:00\"},{\"repository\":\"app\",\"digest\":\"sha256:00\"}]}");

	assert_string_equal(text, "run            ca1\n"
				  "status         Succeeded\n"
				  "steps          fetch    Succeeded  00:00:02\n"
				  "               build    Running    \n"
				  "timings        queued 3 ms, fetch 2000 ms\n"
				  "images         127.0.0.1:5000/app:v1@sha256:00\n"
				  "               app@sha256:00\n");
}

static void text_of_the_service_cannot_drive_the_terminal(void **state)
{
	(void)state;
	cleanup_free char *text = shown(
		"{\"runId\":\"ca1\\u001b[2J\",\"runErrorMessage\":\"one\\ntwo\\u009b31m\","
		"\"steps\":[{\"name\":\"\\u0007\",\"status\":\"\\u001b\"}],\"timings\":{\"\\u0008\":1},"
		"\"outputImages\":[{\"repository\":\"\\u001bc\"}]}");

	assert_string_equal(text, "run            ca1?[2J\n"
				  "because        one two?31m\n"
				  "steps          ?        ?          \n"
				  "timings        ? 1 ms\n"
				  "images         ?c\n");
}

static void members_of_another_type_are_left_out(void **state)
{
	(void)state;
	cleanup_free char *text =
		shown("{\"runId\":1,\"status\":{},\"steps\":\"x\",\"timings\":[1],"
		      "\"outputImages\":[7,{}]}");

	assert_string_equal(text, "images         \n               \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_told_line_by_line),
		cmocka_unit_test(text_of_the_service_cannot_drive_the_terminal),
		cmocka_unit_test(members_of_another_type_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

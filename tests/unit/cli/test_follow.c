#include "tests/unit/unit.h"

#include <stdio.h>

#include "cli/follow.h"
#include "common/scope.h"

/* The exit code for a run; what was said about it, owned by the caller. */
static int verdict(const char *json, char **said)
{
	cleanup_json json_t *run = json_loads(json, JSON_DECODE_ANY, NULL);
	FILE *real = stderr;
	size_t len;

	assert_non_null(run);
	stderr = open_memstream(said, &len);
	int code = follow_verdict(run);
	fclose(stderr);
	stderr = real;
	return code;
}

static void a_run_that_succeeded_is_done_in_silence(void **state)
{
	(void)state;
	cleanup_free char *said = NULL;

	assert_int_equal(verdict("{\"properties\":{\"runId\":\"ca1\",\"status\":\"Succeeded\"}}",
				 &said),
			 EXIT_OK);
	assert_string_equal(said, "");
}

static void every_other_end_is_1_with_its_reason(void **state)
{
	(void)state;
	static const char *const ends[] = { "Failed", "Canceled", "Error", "Timeout" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		cleanup_free char *
			said = NULL,
		       *run = xasprintf("{\"properties\":{\"runId\":\"ca1\",\"status\":\"%s\","
					"\"errorCode\":\"some_word\",\"runErrorMessage\":\"why\"}}",
					ends[i]),
		       *want = xasprintf("slipway: run ca1: %s (some_word)\nslipway: why\n",
					 ends[i]);
		assert_int_equal(verdict(run, &said), EXIT_RUN);
		assert_string_equal(said, want);
	}
}

static void an_end_needs_no_error_code(void **state)
{
	(void)state;
	cleanup_free char *said = NULL;

	assert_int_equal(verdict("{\"properties\":{\"runId\":\"ca1\",\"status\":\"Canceled\"}}",
				 &said),
			 EXIT_RUN);
	assert_string_equal(said, "slipway: run ca1: Canceled\n");
}

static void a_run_that_goes_on_was_not_seen_to_its_end(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"{\"properties\":{\"runId\":\"ca1\",\"status\":\"Running\"}}",
		"{\"properties\":{\"status\":\"Finished\"}}",
		"{\"properties\":{}}",
		"{}",
		"[]",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *said = NULL;
		assert_int_equal(verdict(rows[i], &said), EXIT_SERVICE);
		assert_has(said, "ended, but not the run");
	}
}

static void a_reason_cannot_drive_the_terminal(void **state)
{
	(void)state;
	cleanup_free char *said = NULL;

	verdict("{\"properties\":{\"runId\":\"ca1\",\"status\":\"Failed\","
		"\"runErrorMessage\":\"COPY \\u001b]0;x\\u0007 failed\\nslipway: fine\"}}",
		&said);
	assert_string_equal(said, "slipway: run ca1: Failed\n"
				  "slipway: COPY ?]0;x? failed slipway: fine\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_succeeded_is_done_in_silence),
		cmocka_unit_test(every_other_end_is_1_with_its_reason),
		cmocka_unit_test(an_end_needs_no_error_code),
		cmocka_unit_test(a_run_that_goes_on_was_not_seen_to_its_end),
		cmocka_unit_test(a_reason_cannot_drive_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

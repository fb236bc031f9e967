#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "runner/contract/report.h"

static const char digest[] =
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct report_line round_trip(const struct report_line *line)
{
	struct err err;
	struct report_line back = { 0 };
	cleanup_buf struct buf text = BUF_INIT;

	report_format(&text, line);
	assert_true(text.len <= 8192);
	assert_ptr_equal(strchr(text.ptr, '\n'), text.ptr + text.len - 1);
	assert_works(report_parse(&back, str_slice(buf_str(&text), 0, text.len - 1), &err));
	assert_int_equal(back.type, line->type);
	assert_int_equal(back.time_ms, line->time_ms);
	assert_int_equal(back.attempt, line->attempt);
	return back;
}

static void every_type_comes_back_as_it_went(void **state)
{
	(void)state;
	struct report_line back;

	back = round_trip(
		&(struct report_line){ REPORT_STARTED, .time_ms = 5, .attempt = 1, .pid = 4711 });
	assert_int_equal(back.pid, 4711);
	back = round_trip(&(struct report_line){ REPORT_STEP, .time_ms = 6, .attempt = 2,
						 .name = (char[]){ "fetch" },
						 .status = RUN_TIMEOUT });
	assert_string_equal(back.name, "fetch");
	assert_int_equal(back.status, RUN_TIMEOUT);
	report_line_release(&back);
	back = round_trip(&(struct report_line){ REPORT_COMMIT, .commit = (char[]){ "abc" } });
	assert_string_equal(back.commit, "abc");
	report_line_release(&back);
	round_trip(&(struct report_line){ REPORT_PUSH_WANTED, .time_ms = 9, .attempt = 1 });
	struct image image = { (char[]){ "127.0.0.1:5000" }, (char[]){ "team/app" },
			       (char[]){ "ca1" }, (char *)digest };
	back = round_trip(&(struct report_line){ REPORT_IMAGE, .image = image });
	assert_string_equal(back.image.registry, "127.0.0.1:5000");
	assert_string_equal(back.image.repository, "team/app");
	assert_string_equal(back.image.tag, "ca1");
	assert_string_equal(back.image.digest, digest);
	report_line_release(&back);
	back = round_trip(&(struct report_line){ REPORT_RESULT, .status = RUN_FAILED,
						 .error_code = (char[]){ "build_failed" },
						 .message = (char[]){ "RUN false: 1\n\"x\"" } });
	assert_int_equal(back.status, RUN_FAILED);
	assert_string_equal(back.error_code, "build_failed");
	assert_string_equal(back.message, "RUN false: 1\n\"x\"");
	report_line_release(&back);
}

static void a_long_or_strange_message_still_fits_a_line(void **state)
{
	(void)state;
	char message[5000];

	memset(message, 1, sizeof message - 1);
	message[sizeof message - 1] = '\0';
	struct report_line line = { REPORT_RESULT, .status = RUN_ERROR, .message = message };
	struct report_line back = round_trip(&line);
	report_line_release(&back);
	memset(message, 0xff, sizeof message - 1); /* no UTF-8 */
	back = round_trip(&line);
	report_line_release(&back);
}

static void damaged_lines_are_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"v\":1}",
		"{\"v\":1,\"type\":7}",
		"{\"v\":0,\"type\":\"step\"}",
		"{\"v\":1,\"type\":\"step\",\"time\":-1}",
		"{\"v\":1,\"type\":\"step\",\"status\":\"Running\"}",
		"{\"v\":1,\"type\":\"step\",\"name\":\"x\",\"status\":\"Queued\"}",
		"{\"v\":1,\"type\":\"step\",\"name\":\"x\",\"status\":\"Odd\"}",
		"{\"v\":1,\"type\":\"result\",\"status\":\"Running\"}",
		"{\"v\":1,\"type\":\"result\"}",
		"{\"v\":1,\"type\":\"commit\"}",
		"{\"v\":1,\"type\":\"image\"}",
		"{\"v\":1,\"type\":\"image\",\"repository\":\"UPPER\"}",
		"{\"v\":1,\"type\":\"image\",\"repository\":\"a\",\"digest\":\"sha256:1\"}",
		"{\"v\":1,\"type\":\"started\"} trailing",
		"{\"v\":1,\"type\":\"started\",\"x\":[[[[[1]]]]]}",
	};
	struct err err;
	struct report_line line;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_fails(report_parse(&line, str_from(lines[i]), &err), "report_invalid");
}

static void a_line_over_the_limit_is_refused(void **state)
{
	(void)state;
	struct err err;
	struct report_line line;
	cleanup_buf struct buf text = BUF_INIT;

	buf_adds(&text, "{\"v\":1,\"type\":\"started\",\"x\":\"");
	while (text.len < 8192)
		buf_addc(&text, 'a');
	buf_adds(&text, "\"}");
	assert_fails(report_parse(&line, buf_str(&text), &err), "report_invalid");
}

static void lines_of_a_later_version_or_type_are_skipped(void **state)
{
	(void)state;
	struct err err;
	struct report_line line;
	struct run run = { .attempt = 1, .status = RUN_RUNNING };

	assert_works(report_parse(&line, STR("{\"v\":2,\"type\":\"step\"}"), &err));
	assert_int_equal(line.type, REPORT_UNKNOWN);
	assert_works(report_parse(&line, STR("{\"v\":1,\"type\":\"new\",\"attempt\":9}"), &err));
	assert_int_equal(line.type, REPORT_UNKNOWN);
	report_apply(&run, &line);
	assert_int_equal(run.attempt, 1);
}

/* ---- folding ---- */

static void fold(struct run *run, const char *text)
{
	struct err err;
	struct report_line line;

	assert_works(report_parse(&line, str_from(text), &err));
	report_apply(run, &line);
	report_line_release(&line);
}

static void a_whole_run_is_the_fold_of_its_lines(void **state)
{
	(void)state;
	struct run run = { .attempt = 1 };
	char image[300];

	fold(&run, "{\"v\":1,\"type\":\"started\",\"time\":10,\"attempt\":1,\"pid\":5}");
	assert_int_equal(run.status, RUN_RUNNING);
	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":11,\"attempt\":1,\"name\":\"fetch\",\"status\":\"Running\"}");
	assert_int_equal(run.steps[0].end_ms, 0);
	fold(&run, "{\"v\":1,\"type\":\"commit\",\"time\":12,\"attempt\":1,\"id\":\"abc\"}");
	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":13,\"attempt\":1,\"name\":\"fetch\",\"status\":\"Succeeded\"}");
	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":14,\"attempt\":1,\"name\":\"build\",\"status\":\"Running\"}");
	fold(&run, "{\"v\":1,\"type\":\"push-wanted\",\"time\":15,\"attempt\":1}");
	snprintf(image, sizeof image,
		 "{\"v\":1,\"type\":\"image\",\"time\":16,\"attempt\":1,\"repository\":\"app\","
		 "\"tag\":\"ca1\",\"digest\":\"%s\"}",
		 digest);
	fold(&run, image);
	fold(&run,
	     "{\"v\":1,\"type\":\"result\",\"time\":17,\"attempt\":1,\"status\":\"Succeeded\"}");

	assert_int_equal(run.status, RUN_SUCCEEDED);
	assert_string_equal(run.commit, "abc");
	assert_int_equal(run.steps_len, 2);
	assert_int_equal(run.steps[0].start_ms, 11);
	assert_int_equal(run.steps[0].end_ms, 13);
	assert_int_equal(run.steps[0].status, RUN_SUCCEEDED);
	assert_int_equal(run.images_len, 1);
	assert_string_equal(run.images[0].digest, digest);
	assert_null(run.error_code);
	run_release(&run);
}

static void steps_under_way_end_as_the_run_does(void **state)
{
	(void)state;
	struct run run = { .attempt = 1 };

	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":11,\"attempt\":1,\"name\":\"fetch\",\"status\":\"Running\"}");
	fold(&run, "{\"v\":1,\"type\":\"result\",\"time\":12,\"attempt\":1,\"status\":\"Error\","
		   "\"errorCode\":\"git_timeout\",\"message\":\"no bytes for 30 s\"}");
	assert_int_equal(run.status, RUN_ERROR);
	assert_string_equal(run.error_code, "git_timeout");
	assert_string_equal(run.error_message, "no bytes for 30 s");
	assert_int_equal(run.steps[0].status, RUN_ERROR);
	assert_int_equal(run.steps[0].end_ms, 12);
	run_release(&run);
}

static void only_the_latest_attempt_counts(void **state)
{
	(void)state;
	struct run run = { .attempt = 1 };

	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":1,\"attempt\":1,\"name\":\"fetch\",\"status\":\"Running\"}");
	fold(&run, "{\"v\":1,\"type\":\"commit\",\"time\":2,\"attempt\":1,\"id\":\"old\"}");
	fold(&run, "{\"v\":1,\"type\":\"started\",\"time\":3,\"attempt\":2}");
	assert_int_equal(run.attempt, 2);
	assert_int_equal(run.steps_len, 0);
	assert_null(run.commit);
	fold(&run,
	     "{\"v\":1,\"type\":\"step\",\"time\":4,\"attempt\":1,\"name\":\"build\",\"status\":\"Running\"}");
	assert_int_equal(run.steps_len, 0);
	run_release(&run);
}

static void a_run_that_has_ended_is_not_changed(void **state)
{
	(void)state;
	struct run run = { .attempt = 1, .status = RUN_CANCELED };

	fold(&run,
	     "{\"v\":1,\"type\":\"result\",\"time\":4,\"attempt\":1,\"status\":\"Succeeded\"}");
	fold(&run, "{\"v\":1,\"type\":\"started\",\"time\":4,\"attempt\":2}");
	assert_int_equal(run.status, RUN_CANCELED);
	assert_int_equal(run.attempt, 1);
}

static void a_runaway_report_is_bounded(void **state)
{
	(void)state;
	struct run run = { .attempt = 1 };

	for (int i = 0; i < 1000; i++) {
		char line[200];
		snprintf(
			line, sizeof line,
			"{\"v\":1,\"type\":\"step\",\"attempt\":1,\"name\":\"s%d\",\"status\":\"Running\"}",
			i);
		fold(&run, line);
		fold(&run, "{\"v\":1,\"type\":\"image\",\"attempt\":1,\"repository\":\"a\"}");
	}
	assert_int_equal(run.steps_len, 100);
	assert_int_equal(run.images_len, BUILD_IMAGES_MAX);
	run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_as_it_went),
		cmocka_unit_test(a_long_or_strange_message_still_fits_a_line),
		cmocka_unit_test(damaged_lines_are_refused),
		cmocka_unit_test(a_line_over_the_limit_is_refused),
		cmocka_unit_test(lines_of_a_later_version_or_type_are_skipped),
		cmocka_unit_test(a_whole_run_is_the_fold_of_its_lines),
		cmocka_unit_test(steps_under_way_end_as_the_run_does),
		cmocka_unit_test(only_the_latest_attempt_counts),
		cmocka_unit_test(a_run_that_has_ended_is_not_changed),
		cmocka_unit_test(a_runaway_report_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

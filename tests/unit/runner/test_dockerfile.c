#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/buf.h"
#include "runner/exec/dockerfile.h"

static struct dockerfile scan(const char *text)
{
	struct dockerfile d = { 0 };
	struct err err = { 0 };

	if (dockerfile_scan(&d, str_from(text), &err) < 0)
		fail_msg("%s", err.msg);
	return d;
}

static void assert_refused(const char *text, const char *word)
{
	struct dockerfile d;
	struct err err = { 0 };

	assert_int_equal(dockerfile_scan(&d, str_from(text), &err), -1);
	assert_string_equal(err.word, word);
}

static void steps_know_their_line(void **state)
{
	struct dockerfile d = scan("# a comment\n\nFROM a\n  # another\n\tRUN x\nCMD y\n");

	(void)state;
	assert_int_equal(d.len, 3);
	assert_int_equal(d.steps[0].line, 3);
	assert_int_equal(d.steps[1].line, 5);
	assert_string_equal(d.steps[1].text, "RUN x");
	assert_int_equal(d.steps[2].line, 6);
	dockerfile_release(&d);
}

static void continued_lines_are_joined_over_comments_and_empty_lines(void **state)
{
	struct dockerfile d = scan("FROM a\nRUN one \\\n# why\n\n  two \\  \r\n  three\nCMD y");

	(void)state;
	assert_int_equal(d.len, 3);
	assert_string_equal(d.steps[1].text, "RUN one   two   three");
	assert_int_equal(d.steps[2].line, 7);
	dockerfile_release(&d);
}

static void the_file_may_end_in_the_middle_of_an_instruction(void **state)
{
	struct dockerfile d = scan("FROM a\nRUN one \\");

	(void)state;
	assert_int_equal(d.len, 2);
	assert_string_equal(d.steps[1].text, "RUN one ");
	dockerfile_release(&d);
}

static void directives_count_only_at_the_top(void **state)
{
	struct dockerfile d =
		scan("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN x `\n y\\\n");

	(void)state;
	assert_string_equal(d.syntax, "docker/dockerfile:1");
	assert_string_equal(d.steps[1].text, "RUN x  y\\");
	dockerfile_release(&d);
	d = scan("# hello\n# syntax=docker/dockerfile:1\nFROM a\n");
	assert_null(d.syntax);
	dockerfile_release(&d);
}

static void a_run_is_noticed_in_any_case_and_behind_onbuild(void **state)
{
	static const struct {
		const char *text;
		bool runs;
	} rows[] = {
		{ "FROM a\nCOPY . /RUN\n", false },
		{ "FROM a\nrun x\n", true },
		{ "FROM a\nONBUILD RUN x\n", true },
		{ "FROM a\nCMD RUN\n# RUN x\nLABEL a=\"\\\nRUN b\"\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dockerfile d = scan(rows[i].text);
		assert_int_equal(d.runs, rows[i].runs);
		dockerfile_release(&d);
	}
}

static void powers_over_the_host_are_denied(void **state)
{
	static const char *const denied[] = {
		"FROM a\nRUN --security=insecure id\n",
		"FROM a\nRUN --network=host id\n",
		"FROM a\nrun --mount=type=cache,target=/x --NETWORK=host id\n",
		"FROM a\nRUN \\\n  --network=host id\n",
		"FROM a\nRUN --device=/dev/sda id\n",
		"FROM a\nONBUILD RUN --network=host id\n",
	};
	static const char *const fine[] = {
		"FROM a\nRUN --network=none id\n",
		"FROM a\nRUN curl --network=host\n",
		"FROM a\nRUN --mount=type=cache,target=/x id\n",
		"FROM a\nCMD --network=host\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		assert_refused(denied[i], "feature_denied");
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		struct dockerfile d = scan(fine[i]);
		dockerfile_release(&d);
	}
}

static void more_than_500_instructions_are_refused_at_their_line(void **state)
{
	struct buf text = BUF_INIT;
	struct dockerfile d;
	struct err err = { 0 };

	(void)state;
	buf_adds(&text, "FROM a\n");
	for (int i = 0; i < 499; i++)
		buf_adds(&text, "RUN x\n");
	d = scan(text.ptr);
	assert_int_equal(d.len, 500);
	dockerfile_release(&d);
	buf_adds(&text, "RUN x\n");
	assert_int_equal(dockerfile_scan(&d, buf_str(&text), &err), -1);
	assert_string_equal(err.word, "dockerfile_limit");
	assert_non_null(strstr(err.msg, "line 501"));
	buf_release(&text);
}

static void what_is_no_dockerfile_is_refused(void **state)
{
	struct dockerfile d;
	struct err err = { 0 };

	(void)state;
	assert_refused("", "dockerfile_invalid");
	assert_refused("# only this\n", "dockerfile_invalid");
	assert_refused("hello\n", "dockerfile_invalid");
	assert_int_equal(dockerfile_scan(&d, STR("FROM a\0b"), &err), -1);
	assert_string_equal(err.word, "dockerfile_invalid");
}

static void here_documents_are_noticed(void **state)
{
	static const struct {
		const char *text;
		bool heredoc;
	} rows[] = {
		{ "FROM a\nRUN <<EOF\necho\nEOF\n", true },
		{ "FROM a\nCOPY <<-\"E\" /x\nE\n", true },
		{ "FROM a\nRUN x 3<<EOF\nEOF\n", true },
		{ "FROM a\nRUN cat <<<word\n", false },
		{ "FROM a\nRUN echo $((1<<N))\n", false },
		{ "FROM a\nRUN echo 1 << 2\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dockerfile d = scan(rows[i].text);
		assert_int_equal(d.heredoc, rows[i].heredoc);
		dockerfile_release(&d);
	}
}

static void a_step_is_found_by_how_the_engine_prints_it(void **state)
{
	struct dockerfile d = scan("FROM a\nrun echo hi; \\\n  exit 3\nRUN [\"/bin/x\", \"y\"]\n"
				   "RUN twice\nRUN twice\n");

	(void)state;
	assert_int_equal(dockerfile_line_of(&d, STR("RUN echo hi;   exit 3")), 2);
	assert_int_equal(dockerfile_line_of(&d, STR("RUN /bin/x y")), 4);
	assert_int_equal(dockerfile_line_of(&d, STR("RUN twice")), 0);
	assert_int_equal(dockerfile_line_of(&d, STR("RUN other")), 0);
	assert_int_equal(dockerfile_line_of(&d, STR("")), 0);
	dockerfile_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_know_their_line),
		cmocka_unit_test(continued_lines_are_joined_over_comments_and_empty_lines),
		cmocka_unit_test(the_file_may_end_in_the_middle_of_an_instruction),
		cmocka_unit_test(directives_count_only_at_the_top),
		cmocka_unit_test(a_run_is_noticed_in_any_case_and_behind_onbuild),
		cmocka_unit_test(powers_over_the_host_are_denied),
		cmocka_unit_test(more_than_500_instructions_are_refused_at_their_line),
		cmocka_unit_test(what_is_no_dockerfile_is_refused),
		cmocka_unit_test(here_documents_are_noticed),
		cmocka_unit_test(a_step_is_found_by_how_the_engine_prints_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

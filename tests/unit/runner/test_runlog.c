#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/runlog.h"

struct fixture {
	char dir[64];
	char *path;
	struct runlog *log;
	struct buf text;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);
	snprintf(f->dir, sizeof f->dir, "/tmp/slipway-runlog-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->path = fs_join(f->dir, "log");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	fs_remove_tree(f->dir, NULL);
	buf_release(&f->text);
	free(f->path);
	free(f);
	return 0;
}

static void open_log(struct fixture *f, int64_t limit_bytes, int64_t line_bytes)
{
	assert_int_equal(runlog_open(&f->log, f->path, limit_bytes, line_bytes, NULL), 0);
}

/* Close, and read what is on disk. */
static const char *close_and_read(struct fixture *f)
{
	runlog_close(f->log);
	buf_clear(&f->text);
	assert_int_equal(fs_read(&f->text, f->path, NULL), 0);
	return f->text.ptr ? f->text.ptr : "";
}

static void mask(struct fixture *f, const char *value)
{
	struct secret secret = { 0 };
	secret_set(&secret, str_from(value));
	runlog_mask(f->log, &secret);
	secret_release(&secret);
}

static void bytes_of_a_program_pass_unchanged(void **state)
{
	struct fixture *f = *state;

	open_log(f, 1000, 100);
	runlog_write(f->log, STR("one\r\x1b[31mred\x1b[0m\n\xff no end"));
	assert_string_equal(close_and_read(f), "one\r\x1b[31mred\x1b[0m\n\xff no end");
}

static void secret_in_two_writes_is_masked(void **state)
{
	struct fixture *f = *state;

	open_log(f, 0, 0);
	mask(f, "correct horse");
	runlog_write(f->log, STR("token: correct h"));
	runlog_write(f->log, STR("orse\n"));
	assert_string_equal(close_and_read(f), "token: ***\n");
}

static void undecided_bytes_come_out_with_flush(void **state)
{
	struct fixture *f = *state;

	open_log(f, 0, 0);
	mask(f, "correct horse");
	runlog_write(f->log, STR("correct"));
	runlog_flush(f->log);
	assert_int_equal(fs_read(&f->text, f->path, NULL), 0);
	assert_string_equal(f->text.ptr, "correct");
	runlog_close(f->log);
}

static void long_lines_are_split(void **state)
{
	struct fixture *f = *state;

	open_log(f, 1000, 4);
	runlog_write(f->log, STR("abcdef"));
	runlog_write(f->log, STR("ghij\nkl\nmnop\nqrstu"));
	assert_string_equal(close_and_read(f), "abcd\nefgh\nij\nkl\nmnop\nqrst\nu");
}

static void our_line_starts_a_line_and_has_a_time(void **state)
{
	struct fixture *f = *state;
	int year, month, day, at = 0;

	open_log(f, 1000, 0);
	runlog_write(f->log, STR("half"));
	runlog_say(f->log, "Building %s", "a\nb");
	assert_int_equal(strncmp(close_and_read(f), "half\n20", 7), 0);
	assert_int_equal(sscanf(f->text.ptr + 5, "%4d/%2d/%2d %*2d:%*2d:%*2d %n", &year, &month,
				&day, &at),
			 3);
	assert_string_equal(f->text.ptr + 5 + at, "Building a?b\n");
}

static void our_line_does_not_show_a_secret(void **state)
{
	struct fixture *f = *state;

	open_log(f, 1000, 0);
	mask(f, "correct\nhorse");
	runlog_say(f->log, "quoted: %s", "correct\nhorse");
	assert_null(strstr(close_and_read(f), "horse"));
}

static void full_log_keeps_its_head_and_our_last_words(void **state)
{
	struct fixture *f = *state;

	open_log(f, 10, 0);
	runlog_write(f->log, STR("12345678"));
	assert_false(runlog_is_full(f->log));
	runlog_write(f->log, STR("90abcdef"));
	assert_true(runlog_is_full(f->log));
	runlog_write(f->log, STR("too late"));
	runlog_say(f->log, "the end");
	const char *text = close_and_read(f);
	assert_int_equal(strncmp(text, "1234567890\n***", 14), 0);
	assert_null(strstr(text, "too late"));
	assert_non_null(strstr(text, "the end\n"));
}

static void second_attempt_appends(void **state)
{
	struct fixture *f = *state;

	open_log(f, 8, 0);
	runlog_write(f->log, STR("first\n"));
	close_and_read(f);
	open_log(f, 8, 0);
	runlog_write(f->log, STR("second\n"));
	assert_string_equal(close_and_read(f), "first\nsecond\n");
}

static void disk_that_refuses_is_told(void **state)
{
	struct fixture *f = *state;
	struct runlog *log;

	assert_int_equal(symlink("/dev/full", f->path), 0);
	assert_int_equal(runlog_open(&log, f->path, 0, 0, NULL), -1);
	assert_int_equal(runlog_open(&log, "/dev/full", 0, 0, NULL), 0);
	runlog_write(log, STR("x"));
	assert_int_equal(runlog_errno(log), 28 /* ENOSPC */);
	runlog_close(log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bytes_of_a_program_pass_unchanged),
		TEST(secret_in_two_writes_is_masked),
		TEST(undecided_bytes_come_out_with_flush),
		TEST(long_lines_are_split),
		TEST(our_line_starts_a_line_and_has_a_time),
		TEST(our_line_does_not_show_a_secret),
		TEST(full_log_keeps_its_head_and_our_last_words),
		TEST(second_attempt_appends),
		TEST(disk_that_refuses_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

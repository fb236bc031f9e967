#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/child.h"
#include "runner/exec/exec.h"
#include "runner/exec/runlog.h"

/* A run whose stop condition is a pipe that the test fills. */
struct fixture {
	char dir[64];
	char *path;
	struct exec x;
	int stop;
	struct child_result result;
	struct err err;
	struct buf text;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);
	int ends[2];

	snprintf(f->dir, sizeof f->dir, "/tmp/slipway-child-XXXXXX");
	if (!mkdtemp(f->dir) || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	f->path = fs_join(f->dir, "log");
	f->stop = ends[1];
	f->x = (struct exec){
		.spec = { .grace_ms = 400, .timeout_ms = 60000 },
		.stop_fd = ends[0],
		.deadline_ms = clock_monotonic_ms() + 60000,
	};
	if (runlog_open(&f->x.log, f->path, 1 << 20, 0, NULL) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	runlog_close(f->x.log);
	close(f->stop);
	close(f->x.stop_fd);
	fs_remove_tree(f->dir, NULL);
	buf_release(&f->text);
	free(f->path);
	free(f);
	return 0;
}

static int run_shell(struct fixture *f, const char *script, struct child_opts opts)
{
	cleanup_strvec struct strvec argv = { 0 }, environment = { 0 };

	strvec_push(&argv, "/bin/sh");
	strvec_push(&argv, "-c");
	strvec_push(&argv, script);
	strvec_push(&environment, "PATH=/usr/bin:/bin");
	strvec_push(&environment, "GREETING=hello");
	opts.argv = argv.items;
	opts.envp = environment.items;
	return child_run(&f->result, &f->x, &opts, &f->err);
}

static int run_program(struct fixture *f, const char *path, struct child_opts opts)
{
	cleanup_strvec struct strvec argv = { 0 };

	strvec_push(&argv, path);
	opts.argv = argv.items;
	return child_run(&f->result, &f->x, &opts, &f->err);
}

static const char *logged(struct fixture *f)
{
	buf_clear(&f->text);
	assert_int_equal(fs_read(&f->text, f->path, NULL), 0);
	return f->text.ptr ? f->text.ptr : "";
}

static void cancel(struct fixture *f)
{
	assert_int_equal(write(f->stop, "x", 1), 1);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static void exit_code_and_merged_output_come_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_shell(f, "echo out; echo err >&2; exit 7",
				   (struct child_opts){ .log = f->x.log }),
			 0);
	assert_int_equal(f->result.exit_code, 7);
	assert_int_equal(f->result.signal, 0);
	assert_string_equal(logged(f), "out\nerr\n");
}

static void death_by_signal_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_shell(f, "kill -SEGV $$", (struct child_opts){ 0 }), 0);
	assert_int_equal(f->result.exit_code, -1);
	assert_int_equal(f->result.signal, SIGSEGV);
}

static void captured_output_stays_out_of_the_log(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf out = BUF_LIMIT(100);

	assert_int_equal(run_shell(f, "echo out; echo err >&2",
				   (struct child_opts){ .log = f->x.log, .out = &out }),
			 0);
	assert_string_equal(out.ptr, "out\n");
	assert_string_equal(logged(f), "err\n");
}

static void too_much_captured_output_is_an_error(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf out = BUF_LIMIT(10);

	assert_int_equal(run_shell(f, "echo 12345678901234567890; sleep 60",
				   (struct child_opts){ .out = &out }),
			 -1);
	assert_string_equal(f->err.word, "program_output");
}

static void tail_keeps_the_last_bytes(void **state)
{
	struct fixture *f = *state;
	cleanup_buf struct buf tail = BUF_LIMIT(8);

	assert_int_equal(run_shell(f, "echo 1234567890; echo abc",
				   (struct child_opts){ .log = f->x.log, .tail = &tail }),
			 0);
	assert_string_equal(tail.ptr, "890\nabc\n");
}

static void input_environment_and_folder_are_exactly_those_given(void **state)
{
	struct fixture *f = *state;
	struct child_opts opts = { .log = f->x.log, .dir = "/usr", .input = STR("from us") };

	setenv("NOT_FOR_CHILDREN", "1", 1);
	assert_int_equal(
		run_shell(f, "pwd; cat; echo; echo $GREETING $NOT_FOR_CHILDREN; ls /proc/self/fd",
			  opts),
		0);
	/* 3 is the folder that ls reads. */
	assert_string_equal(logged(f), "/usr\nfrom us\nhello\n0\n1\n2\n3\n");
}

static void missing_program_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_program(f, "/nonexistent/program", (struct child_opts){ 0 }), -1);
	assert_int_equal(f->err.code, ERR_NOTFOUND);
	assert_string_equal(f->err.word, "program_start");
	assert_non_null(strstr(f->err.msg, "/nonexistent/program"));
}

static void program_that_cannot_run_is_denied(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_program(f, "/etc/passwd", (struct child_opts){ 0 }), -1);
	assert_int_equal(f->err.code, ERR_DENIED);
}

static void canceled_run_starts_nothing(void **state)
{
	struct fixture *f = *state;

	cancel(f);
	assert_int_equal(run_shell(f, "echo never", (struct child_opts){ .log = f->x.log }), -1);
	assert_string_equal(f->err.word, "canceled");
	assert_string_equal(logged(f), "");
}

/* The script itself asks for the cancel, through a descriptor-less door: its first output. */
static void cancel_ends_a_program_that_ignores_sigterm(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_monotonic_ms();

	pid_t other = fork();
	if (other == 0) {
		while (logged(f)[0] == '\0')
			usleep(1000);
		cancel(f);
		_exit(0);
	}
	assert_int_equal(run_shell(f, "trap '' TERM; echo $$; while :; do sleep 1; done",
				   (struct child_opts){ .log = f->x.log }),
			 -1);
	assert_int_equal(f->err.code, ERR_CANCELED);
	assert_int_equal(f->result.signal, SIGKILL);
	assert_true(clock_monotonic_ms() - before < 5000);
	assert_false(is_alive((pid_t)atoi(logged(f))));
}

static void deadline_of_the_run_ends_a_program(void **state)
{
	struct fixture *f = *state;

	f->x.deadline_ms = clock_monotonic_ms() + 50;
	assert_int_equal(run_shell(f, "sleep 60", (struct child_opts){ .log = f->x.log }), -1);
	assert_int_equal(f->err.code, ERR_TIMEOUT);
	assert_string_equal(f->err.word, "timeout");
	assert_int_equal(f->result.signal, SIGTERM);
}

static void limit_of_its_own_ends_a_program_without_a_run(void **state)
{
	struct fixture *f = *state;
	cleanup_strvec struct strvec argv = { 0 };
	strvec_push(&argv, "/bin/sleep");
	strvec_push(&argv, "60");
	struct child_opts opts = { .argv = argv.items, .limit_ms = 50 };

	assert_int_equal(child_run(&f->result, NULL, &opts, &f->err), -1);
	assert_string_equal(f->err.word, "program_timeout");
}

static void full_log_ends_a_program(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_shell(f, "yes", (struct child_opts){ .log = f->x.log }), -1);
	assert_int_equal(f->err.code, ERR_LIMIT);
	assert_string_equal(f->err.word, "log_limit");
}

static void what_is_left_of_the_group_dies_with_the_leader(void **state)
{
	struct fixture *f = *state;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_int_equal(run_shell(f, "sleep 60 & echo $!", (struct child_opts){ .log = f->x.log }),
			 0);
	pid_t orphan = (pid_t)atoi(logged(f));
	assert_true(orphan > 1);
	/* It was killed; the next program's loop reaps it. */
	assert_int_equal(run_shell(f, "sleep 0.1", (struct child_opts){ 0 }), 0);
	assert_false(is_alive(orphan));
}

static void stray_process_holding_the_pipe_does_not_hold_us(void **state)
{
	struct fixture *f = *state;
	int64_t before = clock_monotonic_ms();

	assert_int_equal(run_shell(f, "setsid sleep 30 & echo $!",
				   (struct child_opts){ .log = f->x.log }),
			 0);
	assert_int_equal(f->result.exit_code, 0);
	assert_true(clock_monotonic_ms() - before < 10000);
	kill((pid_t)atoi(logged(f)), SIGKILL);
}

static void signals_we_block_are_open_in_the_program(void **state)
{
	struct fixture *f = *state;
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run_shell(f, "grep -E 'SigBlk|SigIgn' /proc/self/status",
				   (struct child_opts){ .log = f->x.log }),
			 0);
	unsigned long long blocked, ignored;
	assert_int_equal(sscanf(logged(f), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	/* The C library keeps 32 and 33 for itself: whoever started the test decides on those. */
	assert_int_equal(ignored & ~(3ull << 31), 0);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(exit_code_and_merged_output_come_back),
		TEST(death_by_signal_is_told),
		TEST(captured_output_stays_out_of_the_log),
		TEST(too_much_captured_output_is_an_error),
		TEST(tail_keeps_the_last_bytes),
		TEST(input_environment_and_folder_are_exactly_those_given),
		TEST(missing_program_is_named),
		TEST(program_that_cannot_run_is_denied),
		TEST(canceled_run_starts_nothing),
		TEST(cancel_ends_a_program_that_ignores_sigterm),
		TEST(deadline_of_the_run_ends_a_program),
		TEST(limit_of_its_own_ends_a_program_without_a_run),
		TEST(full_log_ends_a_program),
		TEST(what_is_left_of_the_group_dies_with_the_leader),
		TEST(stray_process_holding_the_pipe_does_not_hold_us),
		TEST(signals_we_block_are_open_in_the_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

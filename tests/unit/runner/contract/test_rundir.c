#include "tests/unit/folder.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/scope.h"
#include "runner/contract/rundir.h"

/* A child that does what a runner does: locks, says so, and stays until it is told to end. */
struct runner {
	pid_t pid;
	int tell, hear; /* pipes */
};

static void start_runner(struct runner *r, const char *data_dir)
{
	int down[2], up[2];
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		char c;
		int lock;
		close(down[1]);
		close(up[0]);
		if (rundir_lock(&lock, data_dir, "ca1", NULL) < 0)
			_exit(1);
		if (write(up[1], "L", 1) != 1)
			_exit(1);
		_exit(read(down[0], &c, 1) < 0);
	}
	close(down[0]);
	close(up[1]);
	r->tell = down[1];
	r->hear = up[0];
	char c;
	assert_int_equal(read(r->hear, &c, 1), 1);
}

static void stop_runner(struct runner *r)
{
	int status;
	close(r->tell);
	close(r->hear);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	assert_int_equal(status, 0);
}

static void makes_a_private_directory_with_an_empty_log(void **state)
{
	struct err err;
	struct stat st;
	cleanup_free char *dir = rundir_path(*state, "ca1", NULL);
	cleanup_free char *log = rundir_path(*state, "ca1", "log");

	assert_works(rundir_create(*state, "ca1", &err));
	assert_works(rundir_create(*state, "ca1", &err)); /* again: a second attempt */
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 0);
}

static void create_keeps_the_log_of_an_earlier_attempt(void **state)
{
	struct err err;
	cleanup_free char *log = rundir_path(*state, "ca1", "log");
	cleanup_buf struct buf text = BUF_INIT;

	assert_works(rundir_create(*state, "ca1", &err));
	assert_works(fs_write_atomic(log, STR("one\n"), 0600, &err));
	assert_works(rundir_create(*state, "ca1", &err));
	assert_works(fs_read(&text, log, &err));
	assert_string_equal(text.ptr, "one\n");
}

static void nobody_runs_a_run_without_a_directory(void **state)
{
	struct err err;
	struct rundir_owner owner;
	bool locked = true;

	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
	assert_false(locked);
}

static void server_finds_the_owner_while_it_lives(void **state)
{
	struct err err;
	struct runner r;
	struct rundir_owner owner;
	bool locked = false;

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
	assert_true(locked);
	assert_int_equal(owner.pid, r.pid);
	assert_true(owner.start_time > 0);
	assert_int_equal(strlen(owner.boot_id), 36);
	stop_runner(&r);
	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
	assert_false(locked);
}

static void lock_is_gone_when_the_runner_is_killed(void **state)
{
	struct err err;
	struct runner r;
	struct rundir_owner owner;
	bool locked = true;

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	assert_int_equal(kill(r.pid, SIGKILL), 0);
	assert_int_equal(waitpid(r.pid, NULL, 0), r.pid);
	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
	assert_false(locked);
	close(r.tell);
	close(r.hear);
}

static void second_runner_is_refused(void **state)
{
	struct err err;
	struct runner r;
	int fd = -1;

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	assert_fails(rundir_lock(&fd, *state, "ca1", &err), "locked");
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(fd, -1);
	stop_runner(&r);
}

static void a_longer_old_line_is_replaced_as_a_whole(void **state)
{
	struct err err;
	cleanup_free char *path = rundir_path(*state, "ca1", "lock");
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_fd int fd = -1;

	assert_works(rundir_create(*state, "ca1", &err));
	assert_works(fs_write_atomic(
		path,
		STR("2147483647 18446744073709551615 01234567-0123-0123-0123-0123456789ab\n"
		    "and more\n"),
		0600, &err));
	assert_works(rundir_lock(&fd, *state, "ca1", &err));
	assert_works(fs_read(&text, path, &err));
	assert_ptr_equal(strchr(text.ptr, '\n'), text.ptr + text.len - 1);
	assert_int_equal(strtol(text.ptr, NULL, 10), getpid());
}

static void pidfd_tells_when_the_owner_ends(void **state)
{
	struct err err;
	struct runner r;
	struct rundir_owner owner;
	bool locked;
	cleanup_fd int fd = -1;

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
	assert_works(rundir_owner_pidfd(&fd, &owner, &err));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	stop_runner(&r);
	assert_int_equal(poll(&p, 1, 10000), 1);
}

static void pidfd_is_refused_for_another_process_of_that_number(void **state)
{
	struct err err;
	struct runner r;
	struct rundir_owner owner, other;
	bool locked;
	int fd = -1;

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));

	other = owner;
	other.start_time++;
	assert_fails(rundir_owner_pidfd(&fd, &other, &err), "runner_lost");
	assert_int_equal(err.code, ERR_NOTFOUND);
	other = owner;
	other.boot_id[0] ^= 1; /* the machine was started again since */
	assert_fails(rundir_owner_pidfd(&fd, &other, &err), "runner_lost");
	other = (struct rundir_owner){ 0 };
	assert_fails(rundir_owner_pidfd(&fd, &other, &err), "runner_lost");
	stop_runner(&r);
	assert_fails(rundir_owner_pidfd(&fd, &owner, &err), "runner_lost");
	assert_int_equal(fd, -1);
}

static void an_owner_line_that_is_damaged_names_nobody(void **state)
{
	static const char *const lines[] = { "",           "\n",          "12\n",
					     "x 1 boot\n", "-4 1 boot\n", "99999999999 1 boot\n" };
	struct err err;
	struct runner r;
	struct rundir_owner owner;
	bool locked;
	cleanup_free char *path = rundir_path(*state, "ca1", "lock");

	assert_works(rundir_create(*state, "ca1", &err));
	start_runner(&r, *state);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		cleanup_fd int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_works(fs_write_all(fd, str_from(lines[i]), &err));
		assert_works(rundir_is_locked(&locked, &owner, *state, "ca1", &err));
		assert_true(locked);
		assert_int_equal(owner.pid, 0);
	}
	stop_runner(&r);
}

static void a_grant_is_for_one_attempt(void **state)
{
	struct err err;
	cleanup_free char *path = rundir_path(*state, "ca1", "grant");

	assert_works(rundir_create(*state, "ca1", &err));
	assert_false(rundir_is_granted(*state, "ca1", 1));
	assert_works(rundir_grant(*state, "ca1", 1, &err));
	assert_true(rundir_is_granted(*state, "ca1", 1));
	assert_false(rundir_is_granted(*state, "ca1", 2));
	assert_works(rundir_grant(*state, "ca1", 2, &err));
	assert_true(rundir_is_granted(*state, "ca1", 2));
	assert_false(rundir_is_granted(*state, "ca1", 1));
	assert_works(fs_write_atomic(path, STR("2 and a half"), 0600, &err));
	assert_false(rundir_is_granted(*state, "ca1", 2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_private_directory_with_an_empty_log),
		TEST(create_keeps_the_log_of_an_earlier_attempt),
		TEST(nobody_runs_a_run_without_a_directory),
		TEST(server_finds_the_owner_while_it_lives),
		TEST(lock_is_gone_when_the_runner_is_killed),
		TEST(second_runner_is_refused),
		TEST(a_longer_old_line_is_replaced_as_a_whole),
		TEST(pidfd_tells_when_the_owner_ends),
		TEST(pidfd_is_refused_for_another_process_of_that_number),
		TEST(an_owner_line_that_is_damaged_names_nobody),
		TEST(a_grant_is_for_one_attempt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

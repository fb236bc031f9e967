/* The data folder: its modes, and one server at a time. */
#include <sys/stat.h>

#include "server/data_dir.h"
#include "tests/unit/folder.h"

static void assert_mode(const char *path, unsigned mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void folders_are_made_with_their_modes(void **state)
{
	char *path = folder_path(state, "a/b"), *runs = fs_join(path, "runs");
	struct err err;
	int fd;

	umask(0077);
	assert_works(data_dir_open(&fd, path, &err));
	assert_mode(path, 0750);
	assert_mode(runs, 0700);
	close(fd);
	free(runs);
	free(path);
}

static void mode_of_a_folder_that_was_there_is_left_alone(void **state)
{
	char *path = folder_path(state, "mine");
	struct err err;
	int fd;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_works(data_dir_open(&fd, path, &err));
	assert_mode(path, 0700);
	close(fd);
	free(path);
}

static void second_server_is_told_the_pid_of_the_first(void **state)
{
	char pid[40];
	struct err err;
	int fd, other;

	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	assert_works(data_dir_open(&fd, *state, &err));
	assert_fails(data_dir_open(&other, *state, &err), "config_locked");
	assert_has(err.msg, pid);
	close(fd);
	assert_works(data_dir_open(&fd, *state, &err));
	close(fd);
}

static void unfinished_uploads_of_an_earlier_server_go(void **state)
{
	char *part, *whole;
	struct err err;
	int fd;

	assert_works(data_dir_open(&fd, *state, &err));
	part = folder_file(state, "sources/x.part", "half", 0600);
	whole = folder_file(state, "sources/x.tar.gz", "all", 0600);
	close(fd);
	assert_works(data_dir_open(&fd, *state, &err));
	assert_false(fs_exists(part));
	assert_true(fs_exists(whole));
	close(fd);
	free(part);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folders_are_made_with_their_modes, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(mode_of_a_folder_that_was_there_is_left_alone,
						folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(second_server_is_told_the_pid_of_the_first,
						folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(unfinished_uploads_of_an_earlier_server_go,
						folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/scope.h"

static struct err err;

static void makes_folders_and_accepts_existing_ones(void **state)
{
	cleanup_free char *path = folder_path(state, "a/b/c");
	struct stat st;

	assert_works(fs_mkdirs(path, 0700, &err));
	assert_works(fs_mkdirs(path, 0755, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_works(fs_mkdirs("/", 0700, &err));
}

static void a_file_in_the_way_of_a_folder_is_said(void **state)
{
	cleanup_free char *file = folder_file(state, "file", "", 0600);
	cleanup_free char *below = folder_path(state, "file/below");

	assert_fails(fs_mkdirs(file, 0700, &err), "storage");
	assert_has(err.msg, "Not a directory");
	assert_fails(fs_mkdirs(below, 0700, &err), "storage");
	assert_fails(fs_mkdirs("/proc/none/x", 0700, &err), "storage");
	assert_has(err.msg, "/proc/none");
}

static void reads_up_to_the_limit_of_the_buf(void **state)
{
	cleanup_free char *path = folder_file(state, "f", "0123456789", 0600);
	cleanup_buf struct buf ten = BUF_LIMIT(10), nine = BUF_LIMIT(9);

	assert_works(fs_read(&ten, path, &err));
	assert_string_equal(ten.ptr, "0123456789");
	assert_fails(fs_read(&nine, path, &err), "too_large");
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(nine.len, 0);
}

static void says_why_it_cannot_read(void **state)
{
	cleanup_free char *missing = folder_path(state, "missing");
	cleanup_buf struct buf out = BUF_INIT;

	assert_fails(fs_read(&out, missing, &err), "storage");
	assert_int_equal(err.code, ERR_NOTFOUND);
	assert_has(err.msg, missing);
	assert_fails(fs_read(&out, *state, &err), "storage");
	assert_has(err.msg, "Is a directory");
}

static void writes_whole_files_with_their_mode(void **state)
{
	cleanup_free char *path = folder_file(state, "f", "first", 0640);
	cleanup_buf struct buf out = BUF_INIT;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_works(fs_write_atomic(path, STR("second"), 0600, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_works(fs_read(&out, path, &err));
	assert_string_equal(out.ptr, "second");
}

static size_t entries_of(const char *path)
{
	cleanup_dir DIR *dir = opendir(path);
	size_t n = 0;
	for (struct dirent *e; (e = readdir(dir));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	return n;
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
	cleanup_free char *folder = folder_path(state, "target");
	cleanup_free char *inside = folder_path(state, "target/file");

	/* A folder that is not empty cannot be replaced by a file. */
	assert_works(fs_mkdirs(folder, 0700, &err));
	assert_works(fs_write_atomic(inside, STR(""), 0600, &err));
	assert_fails(fs_write_atomic(folder, STR("x"), 0600, &err), "storage");
	assert_int_equal(entries_of(*state), 1);
}

static void a_full_disk_has_its_own_word(void **state)
{
	(void)state;
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_fails(fs_write_all(fd, STR("x"), &err), "disk_full");
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void sees_links_that_lead_nowhere(void **state)
{
	cleanup_free char *link = folder_path(state, "link");

	assert_false(fs_exists(link));
	assert_int_equal(symlink("nowhere", link), 0);
	assert_true(fs_exists(link));
}

static void joins_with_one_slash(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{ "/a", "b", "/a/b" },       { "/a/", "b", "/a/b" }, { "/a", "/b", "/a/b" },
		{ "/", "b", "/b" },          { "/", "", "/" },       { "/a", "", "/a" },
		{ "a//", "//b/c", "a/b/c" }, { "", "b", "b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *joined = fs_join(rows[i][0], rows[i][1]);
		assert_string_equal(joined, rows[i][2]);
	}
}

static void finds_its_own_program(void **state)
{
	(void)state;
	cleanup_free char *folder = fs_program_dir();
	cleanup_free char *self = fs_join(folder, "test_common_fs");
	assert_true(fs_exists(self));
}

static void knows_the_free_space(void **state)
{
	uint64_t bytes = 0;
	assert_works(fs_free_bytes(*state, &bytes, &err));
	assert_true(bytes > 0);
	assert_fails(fs_free_bytes("/proc/none", &bytes, &err), "storage");
}

static void a_lock_is_held_once_and_names_its_holder(void **state)
{
	cleanup_free char *path = folder_path(state, "lock");
	char *holder = NULL;
	int first = -1, second = -1;

	assert_works(fs_lock(&first, path, NULL, &err));
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	assert_works(fs_write_all(first, STR("1234\nmore\n"), &err));
	assert_fails(fs_lock(&second, path, &holder, &err), "locked");
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_string_equal(holder, "1234");
	assert_int_equal(second, -1);
	close(first);
	assert_works(fs_lock(&second, path, NULL, &err));
	close(second);
	free(holder);
}

static void a_lock_is_not_taken_through_a_link(void **state)
{
	cleanup_free char *target = folder_file(state, "target", "", 0600);
	cleanup_free char *link = folder_path(state, "lock");
	int fd = -1;

	assert_int_equal(symlink(target, link), 0);
	assert_fails(fs_lock(&fd, link, NULL, &err), "storage");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(makes_folders_and_accepts_existing_ones),
		IN_FOLDER(a_file_in_the_way_of_a_folder_is_said),
		IN_FOLDER(reads_up_to_the_limit_of_the_buf),
		IN_FOLDER(says_why_it_cannot_read),
		IN_FOLDER(writes_whole_files_with_their_mode),
		IN_FOLDER(a_failed_write_leaves_nothing_behind),
		cmocka_unit_test(a_full_disk_has_its_own_word),
		IN_FOLDER(sees_links_that_lead_nowhere),
		cmocka_unit_test(joins_with_one_slash),
		cmocka_unit_test(finds_its_own_program),
		IN_FOLDER(knows_the_free_space),
		IN_FOLDER(a_lock_is_held_once_and_names_its_holder),
		IN_FOLDER(a_lock_is_not_taken_through_a_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

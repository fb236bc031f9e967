#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_lfs_store.h"

static struct err err;
static struct exec x;
static struct git_lfs_store store;

/* A store beside a mirror, and a context, all in the test's folder. */
static int setup(void **state)
{
	if (folder_setup(state) < 0)
		return -1;
	cleanup_free char *mirror = folder_path(state, "mirror");
	cleanup_free char *root = folder_path(state, "root");
	x = (struct exec){ .work = *state,
			   .stop_fd = -1,
			   .deadline_ms = clock_monotonic_ms() + 60 * 1000 };
	git_lfs_store_init(&store, mirror, &x);
	return mkdir(root, 0700);
}

static int teardown(void **state)
{
	git_lfs_store_release(&store);
	return folder_teardown(state);
}

static struct git_lfs_object object_of(const char *content)
{
	struct git_lfs_object o = { .size = (int64_t)strlen(content), .path = "model.bin" };
	sha256(o.sha256, str_from(content));
	return o;
}

static void keep(const char *content)
{
	struct git_lfs_object o = object_of(content);
	cleanup_free char *path = NULL;
	cleanup_fd int fd = -1;

	assert_works(git_lfs_store_begin(&store, &fd, &path, &err));
	assert_works(fs_write_all(fd, str_from(content), &err));
	assert_works(git_lfs_store_add(&store, path, &o, &err));
	assert_false(fs_exists(path));
}

static bool has(const char *content)
{
	struct git_lfs_object o = object_of(content);
	assert_works(git_lfs_store_look(&store, &o, &err));
	return o.is_here;
}

static char *kept_path(const char *content)
{
	struct git_lfs_object o = object_of(content);
	cleanup_free char *hex = hex_encode(o.sha256, sizeof o.sha256);
	return xasprintf("%s/%.2s/%s", store.dir, hex, hex);
}

static int write_to(void **state, const char *path, bool executable)
{
	cleanup_free char *root = folder_path(state, "root");
	cleanup_fd int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct git_lfs_object o = object_of("hello");
	struct git_pointer p = { .path = (char *)path, .size = 5, .executable = executable };

	memcpy(p.sha256, o.sha256, sizeof p.sha256);
	return git_lfs_store_write(&store, root_fd, &p, 1700000000, &err);
}

static void what_was_kept_is_found(void **state)
{
	(void)state;
	assert_false(has("hello"));
	keep("hello");
	assert_true(has("hello"));
	assert_false(has("hellO"));
	keep("");
	assert_true(has(""));
}

static void use_is_seen_by_retention(void **state)
{
	(void)state;
	const struct timespec old[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	cleanup_free char *path = kept_path("hello");
	struct stat st;

	keep("hello");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_true(has("hello"));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_mtime > 1);
}

static void damaged_content_is_thrown_away(void **state)
{
	static const char *const contents[] = { "hellO", "hello!", "" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		cleanup_free char *path = kept_path("hello");
		keep("hello");
		assert_works(fs_write_atomic(path, str_from(contents[i]), 0600, &err));
		assert_false(has("hello"));
		assert_false(fs_exists(path));
	}
}

static void link_in_the_store_is_not_followed(void **state)
{
	cleanup_free char *path = kept_path("hello");
	cleanup_free char *other = folder_file(state, "other", "hello", 0600);

	keep("hello");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	struct git_lfs_object o = object_of("hello");
	assert_fails(git_lfs_store_look(&store, &o, &err), "storage");
}

static void file_is_written_with_mode_and_time(void **state)
{
	cleanup_free char *folder = folder_path(state, "root/a");
	cleanup_free char *path = folder_path(state, "root/a/model.bin");
	cleanup_buf struct buf content = BUF_INIT;
	struct stat st;

	keep("hello");
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_works(write_to(state, "a/model.bin", true));
	assert_works(fs_read(&content, path, &err));
	assert_string_equal(content.ptr, "hello");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0111, 0111);
	assert_int_equal(st.st_mtime, 1700000000);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mtime, 1700000000);
	assert_works(write_to(state, "top", false));
}

static void nothing_is_written_over_or_through_a_link(void **state)
{
	cleanup_free char *link = folder_path(state, "root/link");
	cleanup_free char *file = folder_file(state, "root/file", "mine", 0600);
	cleanup_free char *outside = folder_path(state, "out");
	cleanup_free char *inside = folder_path(state, "root/in");

	keep("hello");
	assert_int_equal(symlink(*state, link), 0);
	assert_int_equal(symlink("file", inside), 0);
	assert_fails(write_to(state, "link/out", false), "storage");
	assert_fails(write_to(state, "../out", false), "storage");
	assert_fails(write_to(state, "missing/out", false), "storage");
	assert_fails(write_to(state, "file", false), "git_unsafe_tree");
	assert_fails(write_to(state, "in", false), "git_unsafe_tree");
	assert_false(fs_exists(outside));
}

static void deadline_ends_every_loop(void **state)
{
	struct git_lfs_object o = object_of("hello");

	keep("hello");
	x.deadline_ms = clock_monotonic_ms() - 1;
	assert_fails(git_lfs_store_look(&store, &o, &err), "timeout");
	assert_fails(write_to(state, "file", false), "timeout");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_is_found),
		TEST(use_is_seen_by_retention),
		TEST(damaged_content_is_thrown_away),
		TEST(link_in_the_store_is_not_followed),
		TEST(file_is_written_with_mode_and_time),
		TEST(nothing_is_written_over_or_through_a_link),
		TEST(deadline_ends_every_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

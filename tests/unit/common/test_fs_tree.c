#include "tests/unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/scope.h"

static struct err err;

static void make_folder(const char *path)
{
	assert_works(fs_mkdirs(path, 0700, &err));
}

static void removes_files_links_sockets_and_folders(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *deep = folder_path(state, "tree/a/b/c");
	cleanup_free char *fifo = folder_path(state, "tree/a/fifo");
	cleanup_free char *link = folder_path(state, "tree/a/link");

	make_folder(deep);
	free(folder_file(state, "tree/a/b/file\n\x1b", "x", 0000));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("nowhere", link), 0);
	assert_works(fs_remove_tree(tree, &err));
	assert_false(fs_exists(tree));
}

static void a_missing_tree_is_success(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	assert_works(fs_remove_tree(tree, &err));
	assert_works(fs_remove_tree("/nonexistent/tree", &err));
}

static void a_file_or_a_link_is_a_tree_too(void **state)
{
	cleanup_free char *kept = folder_path(state, "kept");
	cleanup_free char *inside = folder_path(state, "kept/inside");
	cleanup_free char *file = folder_file(state, "file", "x", 0400);
	cleanup_free char *link = folder_path(state, "link");
	cleanup_free char *slashed = folder_path(state, "link//");

	make_folder(inside);
	assert_int_equal(symlink(kept, link), 0);
	assert_works(fs_remove_tree(file, &err));
	assert_false(fs_exists(file));
	assert_works(fs_remove_tree(slashed, &err));
	assert_false(fs_exists(link));
	assert_true(fs_exists(inside));
}

static void never_follows_a_link_out_of_the_tree(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *kept = folder_path(state, "kept/inside");
	cleanup_free char *link = folder_path(state, "tree/link");
	cleanup_free char *up = folder_path(state, "tree/up");

	make_folder(tree);
	make_folder(kept);
	assert_int_equal(symlink("../kept", link), 0);
	assert_int_equal(symlink("..", up), 0);
	assert_works(fs_remove_tree(tree, &err));
	assert_true(fs_exists(kept));
}

/* A chain of folders that no path can name, with a file at its end. */
static void make_chain(const char *root, int depth)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		int below = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
		assert_true(fd >= 0);
	}
	close(openat(fd, "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(fd);
}

static void a_very_deep_tree_needs_few_descriptors(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *decoy = folder_path(state, "tree/.removing-0/x");
	make_folder(decoy);
	free(folder_file(state, "tree/.removing-1", "x", 0600));
	make_chain(tree, 5000);

	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 80, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int rc = fs_remove_tree(tree, &err);
	setrlimit(RLIMIT_NOFILE, &before);
	if (rc < 0)
		fail_msg("%s", err.msg);
	assert_false(fs_exists(tree));
}

static void a_wide_tree_goes_too(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");

	make_folder(tree);
	for (int i = 0; i < 300; i++) {
		cleanup_free char *child = xasprintf("%s/%d/%d", tree, i, i);
		make_folder(child);
	}
	assert_works(fs_remove_tree(tree, &err));
	assert_false(fs_exists(tree));
}

/*
 * In a child process without root's power to pass permissions by: the tree's folders have lost
 * their bits, as a build may leave them. Exits 0 when the tree is gone.
 */
static void folders_without_permission_are_opened_first(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *unreadable = folder_path(state, "tree/unreadable");
	cleanup_free char *closed = folder_path(state, "tree/unreadable/closed");

	assert_int_equal(chmod(*state, 0777), 0);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(3);
		if (fs_mkdirs(closed, 0700, &err) < 0)
			_exit(4);
		char *file = xasprintf("%s/file", closed);
		if (fs_write_atomic(file, STR("x"), 0400, &err) < 0 || chmod(closed, 0500) < 0 ||
		    chmod(unreadable, 0000) < 0 || chmod(tree, 0500) < 0)
			_exit(5);
		free(file);
		_exit(fs_remove_tree(tree, &err) < 0 ? 6 : 0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(fs_exists(tree));
}

static void goes_on_after_a_failure_and_reports_it(void **state)
{
	if (geteuid() != 0)
		skip();
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *guarded = folder_path(state, "tree/guarded");
	cleanup_free char *other = folder_path(state, "tree/other");
	cleanup_free char *theirs = folder_path(state, "tree/guarded/theirs");

	make_folder(guarded);
	make_folder(other);
	make_folder(theirs);
	assert_int_equal(chmod(*state, 0777), 0);
	assert_int_equal(chown(tree, 65534, 65534), 0);
	assert_int_equal(chown(other, 65534, 65534), 0);
	pid_t child = fork(); /* root's folder in nobody's tree */
	if (child == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		_exit(fs_remove_tree(tree, &err) == -1 && strstr(err.msg, "guarded") ? 0 : 4);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(fs_exists(theirs));
	assert_false(fs_exists(other));
}

/* A bind mount has the device of its source: only the mount tells them apart. */
static void leaves_what_is_mounted_inside_alone(void **state)
{
	cleanup_free char *tree = folder_path(state, "tree");
	cleanup_free char *point = folder_path(state, "tree/point");
	cleanup_free char *kept = folder_path(state, "kept/inside");
	cleanup_free char *source = folder_path(state, "kept");

	make_folder(point);
	make_folder(kept);
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(source, point, NULL, MS_BIND, NULL) < 0)
			_exit(77);
		_exit(fs_remove_tree(tree, &err) == -1 && strstr(err.msg, "point") ? 0 : 4);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(fs_exists(kept));
	assert_true(fs_exists(point));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(removes_files_links_sockets_and_folders),
		IN_FOLDER(a_missing_tree_is_success),
		IN_FOLDER(a_file_or_a_link_is_a_tree_too),
		IN_FOLDER(never_follows_a_link_out_of_the_tree),
		IN_FOLDER(a_very_deep_tree_needs_few_descriptors),
		IN_FOLDER(a_wide_tree_goes_too),
		IN_FOLDER(folders_without_permission_are_opened_first),
		IN_FOLDER(goes_on_after_a_failure_and_reports_it),
		IN_FOLDER(leaves_what_is_mounted_inside_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

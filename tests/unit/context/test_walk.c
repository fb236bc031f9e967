#include "tests/unit/folder.h"

#include <fcntl.h>

#include "common/scope.h"
#include "context/walk.h"

static const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;

static void put(void **state, const char *name)
{
	struct err err;
	cleanup_free char *path = folder_path(state, name);
	cleanup_free char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_works(fs_mkdirs(folder, 0755, &err));
	free(folder_file(state, name, "x", 0644));
}

/* "kept -ignored …" in the order of the walk. */
static int note(const struct walk_entry *e, void *data, struct err *err)
{
	struct buf *trace = data;

	(void)err;
	buf_addf(trace, "%s%s" STR_FMT, trace->len ? " " : "", e->verdict.ignored ? "-" : "",
		 STR_ARG(e->path));
	return 0;
}

static int walk(struct buf *trace, void **state, const char *rules, bool all, struct err *err)
{
	struct ignore *set = NULL;
	cleanup_fd int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct walk_opts opts = { .all = all, .entry = note, .data = trace };
	struct walk_opts with_rules = opts;

	if (rules && ignore_read(&set, str_from(rules), "x", &limits, err) < 0)
		return -1;
	with_rules.rules = set;
	int rc = walk_folder(fd, &with_rules, err);
	ignore_destroy(set);
	return rc;
}

static void assert_walk(void **state, const char *rules, bool all, const char *want)
{
	struct buf trace = BUF_INIT;
	struct err err;

	assert_works(walk(&trace, state, rules, all, &err));
	assert_string_equal(trace.ptr ? trace.ptr : "", want);
	buf_release(&trace);
}

static void entries_come_sorted_and_folders_before_what_is_in_them(void **state)
{
	put(state, "b/2");
	put(state, "b/1");
	put(state, "a");
	put(state, "b.c");
	put(state, "B");
	assert_walk(state, NULL, false, "B a b b/1 b/2 b.c");
}

static void an_ignored_folder_is_left_out_unless_something_may_come_back(void **state)
{
	put(state, "lib/deep/keep");
	put(state, "lib/deep/other");
	put(state, "src/main");
	assert_walk(state, "lib\n", false, "-lib src src/main");
	assert_walk(state, "lib\n", true,
		    "-lib -lib/deep -lib/deep/keep -lib/deep/other src src/main");
	assert_walk(state, "lib\n!**/keep\n", false,
		    "-lib -lib/deep lib/deep/keep -lib/deep/other src src/main");
	assert_walk(state, "*\n!src\n", false, "-lib src src/main");
}

static void links_are_entries(void **state)
{
	cleanup_free char *up = folder_path(state, "up");
	cleanup_free char *self = folder_path(state, "self");

	assert_int_equal(symlink("/", up), 0);
	assert_int_equal(symlink(".", self), 0);
	assert_walk(state, NULL, true, "self up");
}

static void depth_has_a_ceiling(void **state)
{
	struct buf name = BUF_INIT, trace = BUF_INIT;
	struct err err;

	for (int i = 0; i < WALK_DEPTH_MAX + 1; i++)
		buf_adds(&name, "d/");
	buf_adds(&name, "x");
	put(state, name.ptr);
	assert_fails(walk(&trace, state, NULL, false, &err), "context_too_deep");
	buf_release(&name);
	buf_release(&trace);
}

static int refuse(const struct walk_entry *e, void *data, struct err *err)
{
	(void)e;
	(void)data;
	return err_set(err, ERR_CANCELED, "canceled", "enough");
}

static void the_callback_can_stop_it(void **state)
{
	cleanup_fd int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct walk_opts opts = { .entry = refuse };
	struct err err;

	put(state, "a");
	assert_fails(walk_folder(fd, &opts, &err), "canceled");
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(entries_come_sorted_and_folders_before_what_is_in_them),
		test(an_ignored_folder_is_left_out_unless_something_may_come_back),
		test(links_are_entries),
		test(depth_has_a_ceiling),
		test(the_callback_can_stop_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

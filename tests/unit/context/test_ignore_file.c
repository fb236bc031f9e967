/* Which ignore file counts, and IGN-012: what is no ignore file although it is called so. */
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "context/ignore_file.h"

static const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;

static void put(void **state, const char *name, const char *text)
{
	free(folder_file(state, name, text, 0644));
}

static void make_folder(void **state, const char *name)
{
	cleanup_free char *path = folder_path(state, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static int load(struct ignore **out, char **name, void **state, const char *dockerfile,
		struct err *err)
{
	cleanup_fd int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ignore_load(out, name, fd, dockerfile, &limits, err);
}

/* The file that counts, and its first rule. */
static void assert_counts(void **state, const char *dockerfile, const char *want, const char *rule)
{
	struct ignore *set;
	struct err err;
	cleanup_free char *name = NULL;

	assert_works(load(&set, &name, state, dockerfile, &err));
	if (!want) {
		assert_null(name);
		assert_null(set);
		return;
	}
	assert_string_equal(name, want);
	assert_string_equal(ignore_rule(set, 0), rule);
	ignore_destroy(set);
}

static void the_one_beside_the_dockerfile_counts_first(void **state)
{
	make_folder(state, "docker");
	assert_counts(state, "docker/Dockerfile", NULL, NULL);
	put(state, ".dockerignore", "root");
	assert_counts(state, "docker/Dockerfile", ".dockerignore", "root");
	put(state, "docker/Dockerfile.dockerignore", "beside");
	assert_counts(state, "docker/Dockerfile", "docker/Dockerfile.dockerignore", "beside");
	assert_counts(state, "Dockerfile", ".dockerignore", "root");
	assert_counts(state, "missing/Dockerfile", ".dockerignore", "root");
	put(state, "Dockerfile.dockerignore", "named");
	assert_counts(state, "Dockerfile", "Dockerfile.dockerignore", "named");
}

static void an_empty_one_replaces_the_other(void **state)
{
	struct ignore *set;
	struct err err;
	cleanup_free char *name = NULL;

	put(state, ".dockerignore", "root");
	put(state, "Dockerfile.dockerignore", "");
	assert_works(load(&set, &name, state, "Dockerfile", &err));
	assert_string_equal(name, "Dockerfile.dockerignore");
	assert_int_equal(ignore_rules(set), 0);
	ignore_destroy(set);
}

static void assert_refused(void **state, const char *dockerfile, const char *word)
{
	struct ignore *set;
	struct err err;
	char *name = NULL;

	assert_fails(load(&set, &name, state, dockerfile, &err), word);
	assert_null(name);
}

static void a_folder_or_a_pipe_is_none(void **state)
{
	cleanup_free char *pipe = folder_path(state, "Dockerfile.dockerignore");

	make_folder(state, ".dockerignore");
	assert_refused(state, "Dockerfile", "ignore_invalid");
	assert_int_equal(mkfifo(pipe, 0644), 0);
	assert_refused(state, "Dockerfile", "ignore_invalid"); /* and does not hang */
}

static void links_are_not_followed(void **state)
{
	cleanup_free char *link = folder_path(state, ".dockerignore");
	cleanup_free char *folder = folder_path(state, "linked");

	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_refused(state, "Dockerfile", "ignore_invalid");
	assert_int_equal(symlink("/etc", folder), 0);
	assert_refused(state, "linked/passwd", "ignore_invalid");
}

static void nothing_outside_is_read(void **state)
{
	cleanup_free char *name = NULL;
	struct ignore *set;
	struct err err = { 0 };

	put(state, "Dockerfile.dockerignore", "x");
	make_folder(state, "inner");
	cleanup_free char *inner = folder_path(state, "inner");
	cleanup_fd int fd = open(inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ignore_load(&set, &name, fd, "../Dockerfile", &limits, &err), -1);
}

static void sizes_are_told_apart(void **state)
{
	cleanup_free char *path = folder_path(state, ".dockerignore");

	put(state, ".dockerignore", "x");
	assert_int_equal(truncate(path, 300 << 10), 0);
	assert_refused(state, "Dockerfile", "ignore_too_large");
	assert_int_equal(truncate(path, 1 << 30), 0);
	assert_refused(state, "Dockerfile", "ignore_invalid");
}

static void an_error_names_the_file(void **state)
{
	struct ignore *set;
	struct err err;
	char *name = NULL;

	make_folder(state, "docker");
	put(state, "docker/a.dockerignore", "ok\n[\n");
	assert_fails(load(&set, &name, state, "docker/a", &err), "ignore_syntax");
	assert_has(err.msg, "docker/a.dockerignore:2:");
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_one_beside_the_dockerfile_counts_first),
		test(an_empty_one_replaces_the_other),
		test(a_folder_or_a_pipe_is_none),
		test(links_are_not_followed),
		test(nothing_outside_is_read),
		test(sizes_are_told_apart),
		test(an_error_names_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

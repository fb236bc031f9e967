#include "tests/unit/folder.h"

#include <sys/stat.h>

#include "common/scope.h"
#include "common/secret.h"

static struct err err;

static void holds_copies_and_forgets(void **state)
{
	(void)state;
	struct secret a = { 0 }, b = { 0 };

	assert_false(secret_is_set(&a));
	assert_string_equal(secret_reveal(&a), "");
	secret_set(&a, STR("one"));
	secret_copy(&b, &a);
	secret_set(&a, str_slice(str_from(secret_reveal(&a)), 0, 2)); /* its own bytes */
	assert_string_equal(secret_reveal(&a), "on");
	assert_string_equal(secret_reveal(&b), "one");
	secret_release(&a);
	secret_copy(&b, &a);
	assert_false(secret_is_set(&b));
	secret_release(&b);
}

static void a_literal_counts_only_where_it_is_allowed(void **state)
{
	(void)state;
	struct secret s = { 0 };

	assert_works(secret_load(&s, "hunter2", true, &err));
	assert_string_equal(secret_reveal(&s), "hunter2");
	assert_fails(secret_load(&s, "hunter3", false, &err), "config_perm");
	assert_null(strstr(err.msg, "hunter3"));
	assert_fails(secret_load(&s, "", true, &err), "config_invalid");
	assert_fails(secret_load(&s, "", false, &err), "config_invalid");
	assert_string_equal(secret_reveal(&s), "hunter2");
	secret_release(&s);
}

static void reads_the_environment(void **state)
{
	(void)state;
	struct secret s = { 0 };

	setenv("SLIPWAY_TEST_SECRET", "from env", 1);
	assert_works(secret_load(&s, "env:SLIPWAY_TEST_SECRET", false, &err));
	assert_string_equal(secret_reveal(&s), "from env");
	setenv("SLIPWAY_TEST_SECRET", "", 1);
	assert_fails(secret_load(&s, "env:SLIPWAY_TEST_SECRET", false, &err), "config_invalid");
	unsetenv("SLIPWAY_TEST_SECRET");
	assert_fails(secret_load(&s, "env:SLIPWAY_TEST_SECRET", false, &err), "config_secret");
	assert_has(err.msg, "SLIPWAY_TEST_SECRET");
	secret_release(&s);
}

static int load_path(struct secret *s, const char *path)
{
	cleanup_free char *text = xasprintf("file:%s", path);
	return secret_load(s, text, false, &err);
}

static void reads_a_private_file_without_its_last_newline(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "plain", "plain" },   { "line\n", "line" },     { "two\n\n", "two\n" },
		{ "crlf\r\n", "crlf" }, { " blank ", " blank " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret s = { 0 };
		cleanup_free char *path = folder_file(state, "s", rows[i].text, 0600);
		assert_works(load_path(&s, path));
		assert_string_equal(secret_reveal(&s), rows[i].value);
		secret_release(&s);
	}
}

static void refuses_files_that_cannot_hold_a_secret(void **state)
{
	struct secret s = { 0 };
	cleanup_free char *open = folder_file(state, "open", "x", 0640);
	cleanup_free char *empty = folder_file(state, "empty", "\n", 0600);
	cleanup_free char *missing = folder_path(state, "missing");
	cleanup_free char *fifo = folder_path(state, "fifo");
	cleanup_free char *nul = folder_path(state, "nul");
	cleanup_free char *large = folder_path(state, "large");
	cleanup_free char *many = xcalloc(1, 70000);

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_works(fs_write_atomic(nul, STR("a\0b"), 0600, &err));
	assert_works(fs_write_atomic(large, (struct str){ many, 70000 }, 0600, &err));
	assert_fails(load_path(&s, open), "config_perm");
	assert_has(err.msg, "0600");
	assert_has(err.msg, open);
	assert_fails(load_path(&s, empty), "config_invalid");
	assert_fails(load_path(&s, missing), "config_secret");
	assert_fails(load_path(&s, *state), "config_secret");
	assert_fails(load_path(&s, fifo), "config_secret");
	assert_fails(load_path(&s, nul), "config_secret");
	assert_fails(load_path(&s, large), "config_secret");
	assert_false(secret_is_set(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_copies_and_forgets),
		cmocka_unit_test(a_literal_counts_only_where_it_is_allowed),
		cmocka_unit_test(reads_the_environment),
		cmocka_unit_test_setup_teardown(reads_a_private_file_without_its_last_newline,
						folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(refuses_files_that_cannot_hold_a_secret,
						folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

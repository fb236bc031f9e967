#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "runner/exec/checkout.h"

static struct err err;

static struct checkout *open_checkout(void **state, const char *name, const char *rules)
{
	cleanup_free char *mirror = folder_path(state, "key");
	struct checkout_wanted wanted = { mirror, str_from(name), str_from(rules) };
	struct checkout *c;

	assert_works(checkout_open(&c, &wanted, &err));
	return c;
}

/* Fill it as a run would. */
static void use(struct checkout *c)
{
	struct git_tally tally = { .entries = 3, .bytes = 4000000000 };
	git_oid commit = { { 1, 2, 3 } }, tree = { { 4, 5, 6 } };

	assert_works(checkout_empty(c, &err));
	int fd = openat(c->files_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
	checkout_done(c, &commit, &tree, &tally);
}

static bool knows(void **state, const char *name, const char *rules)
{
	struct checkout *c = open_checkout(state, name, rules);
	bool known = c->known;

	checkout_close(c);
	return known;
}

static void what_was_done_is_known_to_the_next(void **state)
{
	struct checkout *c = open_checkout(state, "", "rules");

	assert_false(c->known);
	use(c);
	checkout_close(c);
	c = open_checkout(state, "", "rules");
	assert_true(c->known);
	assert_int_equal(c->commit.id[2], 3);
	assert_int_equal(c->tree.id[0], 4);
	assert_int_equal(c->tally.entries, 3);
	assert_int_equal(c->tally.bytes, 4000000000);
	assert_int_equal(faccessat(c->files_fd, "file", F_OK, 0), 0);
	checkout_close(c);
}

static void each_name_has_a_folder_and_each_run_a_slot(void **state)
{
	struct checkout *c[] = { open_checkout(state, "", ""), open_checkout(state, "", ""),
				 open_checkout(state, "svc", "") };
	cleanup_free char *first = xstrdup(c[0]->path);

	assert_string_not_equal(c[0]->path, c[1]->path);
	assert_string_not_equal(c[0]->path, c[2]->path);
	assert_string_not_equal(c[1]->path, c[2]->path);
	checkout_close(c[0]);
	c[0] = open_checkout(state, "", "");
	assert_string_equal(c[0]->path, first);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		checkout_close(c[i]);
}

static void other_rules_or_a_run_that_never_ended_make_it_unknown(void **state)
{
	struct checkout *c = open_checkout(state, "", "rules");

	use(c);
	checkout_close(c);
	assert_false(knows(state, "", "other rules"));
	assert_true(knows(state, "", "rules"));
	c = open_checkout(state, "", "rules");
	assert_works(checkout_begin(c, &err));
	assert_int_equal(faccessat(c->files_fd, "file", F_OK, 0), 0);
	checkout_close(c);
	assert_false(knows(state, "", "rules"));
}

static void empty_removes_what_it_held(void **state)
{
	struct checkout *c = open_checkout(state, "", "");

	use(c);
	assert_works(checkout_empty(c, &err));
	assert_int_equal(faccessat(c->files_fd, "file", F_OK, 0), -1);
	checkout_close(c);
}

/* Replace `from` by `to`, which is as long, in the state. */
static void forge(const struct checkout *c, const char *from, const char *to)
{
	cleanup_free char *path = fs_join(c->path, "state");
	struct buf text = BUF_INIT;

	assert_works(fs_read(&text, path, &err));
	char *at = strstr(text.ptr, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	assert_works(fs_write_atomic(path, buf_str(&text), 0600, &err));
	buf_release(&text);
}

static void a_state_of_another_boot_or_version_or_half_of_one_is_not_trusted(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "\"boot\":\"", "\"boot\":\"x" }, { "\"v\":1", "\"v\":9" },     { "}", " " },
		{ "\"tree\"", "\"eert\"" },        { "\"rules\"", "\"selur\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct checkout *c = open_checkout(state, "", "");
		use(c);
		checkout_close(c);
		assert_true(knows(state, "", ""));
		c = open_checkout(state, "", "");
		forge(c, rows[i].from, rows[i].to);
		checkout_close(c);
		if (knows(state, "", ""))
			fail_msg("trusted with %s", rows[i].to);
	}
}

static void a_state_without_files_is_not_trusted(void **state)
{
	struct checkout *c = open_checkout(state, "", "");

	use(c);
	assert_works(fs_remove_tree(c->files, &err));
	checkout_close(c);
	assert_false(knows(state, "", ""));
}

/* Retention unlinks a lock while it holds it: whoever opened it before holds a lock on nothing. */
static void a_lock_without_a_name_is_no_lock(void **state)
{
	struct checkout *removed = open_checkout(state, "", "");
	cleanup_free char *lock = xasprintf("%s.lock", removed->path);
	cleanup_free char *path = xstrdup(removed->path);
	struct stat held, named;

	assert_int_equal(unlink(lock), 0);
	struct checkout *next = open_checkout(state, "", "");
	assert_string_equal(next->path, path);
	assert_int_equal(fstat(next->lock_fd, &held), 0);
	assert_int_equal(stat(lock, &named), 0);
	assert_int_equal(held.st_ino, named.st_ino);
	checkout_close(next);
	checkout_close(removed);
}

static void there_is_an_end_to_slots(void **state)
{
	cleanup_free char *mirror = folder_path(state, "key");
	struct checkout_wanted wanted = { mirror, STR(""), STR("") };
	struct checkout *taken[64], *one_more;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		taken[i] = open_checkout(state, "", "");
	assert_fails(checkout_open(&one_more, &wanted, &err), "checkouts_taken");
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		checkout_close(taken[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_done_is_known_to_the_next),
		TEST(each_name_has_a_folder_and_each_run_a_slot),
		TEST(other_rules_or_a_run_that_never_ended_make_it_unknown),
		TEST(empty_removes_what_it_held),
		TEST(a_state_of_another_boot_or_version_or_half_of_one_is_not_trusted),
		TEST(a_state_without_files_is_not_trusted),
		TEST(a_lock_without_a_name_is_no_lock),
		TEST(there_is_an_end_to_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/str.h"
#include "runner/exec/git_advert.h"
#include "runner/exec/git_fetch.h"

/* ---- which ref is meant ---- */

static void assert_means(const char *text, const char *expected)
{
	static git_remote_head refs[] = {
		{ .name = (char *)"HEAD" },
		{ .name = (char *)"refs/heads/main" },
		{ .name = (char *)"refs/heads/v1" },
		{ .name = (char *)"refs/heads/pull/7/head" },
		{ .name = (char *)"refs/heads/refs/tags/v2" },
		{ .name = (char *)"refs/pull/7/head" },
		{ .name = (char *)"refs/pull/8/merge" },
		{ .name = (char *)"refs/tags/v1" },
		{ .name = (char *)"refs/tags/v2" },
	};
	const git_remote_head *heads[ARRAY_LEN(refs)];

	for (size_t i = 0; i < ARRAY_LEN(refs); i++)
		heads[i] = &refs[i];
	const git_remote_head *found = git_ref_find(heads, ARRAY_LEN(heads), text);
	if (!expected)
		assert_null(found);
	else
		assert_string_equal(found->name, expected);
}

static void whole_name_wins(void **state)
{
	(void)state;
	assert_means("refs/heads/main", "refs/heads/main");
	assert_means("refs/tags/v2", "refs/tags/v2");
	assert_means("HEAD", "HEAD");
}

static void branch_wins_over_tag_and_other_refs(void **state)
{
	(void)state;
	assert_means("main", "refs/heads/main");
	assert_means("v1", "refs/heads/v1");
	assert_means("pull/7/head", "refs/heads/pull/7/head");
}

static void tag_and_pull_ref_are_found_by_short_name(void **state)
{
	(void)state;
	assert_means("v2", "refs/tags/v2");
	assert_means("tags/v1", "refs/tags/v1");
	assert_means("pull/8/merge", "refs/pull/8/merge");
}

static void part_of_a_name_means_nothing(void **state)
{
	(void)state;
	assert_means("mai", NULL);
	assert_means("7/head", NULL);
	assert_means("Main", NULL);
	assert_means("", NULL);
}

/* ---- the list of refs as it passes ---- */

/* Cut at every place, the verdict must be the same. */
static void assert_advert(const char *text, size_t len, const char *word)
{
	for (size_t cut = 0; cut <= len; cut++) {
		struct git_advert advert = { 0 };
		struct err err = { 0 };
		struct str all = { text, len };
		int rc = git_advert_feed(&advert, str_slice(all, 0, cut), &err);
		if (rc == 0)
			rc = git_advert_feed(&advert, str_after(all, cut), &err);
		assert_int_equal(rc, *word ? -1 : 0);
		assert_string_equal(err.word, word);
	}
}

static void well_formed_lines_pass_however_cut(void **state)
{
	(void)state;
	const char text[] = "001e# service=git-upload-pack\n0000"
			    "003d1111111111111111111111111111111111111111 refs/heads/main\n0000";
	assert_advert(text, sizeof text - 1, "");
	assert_advert("", 0, "");
	assert_advert("000400030001", 12, "");
}

static void page_for_people_is_no_git(void **state)
{
	(void)state;
	assert_advert("<html>sign in</html>", 20, "git_protocol");
	assert_advert("001e# service=git-upload-pack\nzzzz", 34, "git_protocol");
}

static void endless_name_is_too_large(void **state)
{
	(void)state;
	assert_advert("ffff1111", 8, "git_too_large");
	assert_advert("1001", 4, "git_too_large");
	assert_advert("1000", 4, "");
}

static void endless_list_is_too_large(void **state)
{
	(void)state;
	struct git_advert advert = { 0 };
	struct err err = { 0 };
	char line[4096];
	int lines = 0;

	memset(line, 'x', sizeof line);
	memcpy(line, "1000", 4);
	while (git_advert_feed(&advert, (struct str){ line, sizeof line }, &err) == 0)
		lines++;
	assert_string_equal(err.word, "git_too_large");
	assert_int_equal(lines, 64 * 1024 * 1024 / 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_name_wins),
		cmocka_unit_test(branch_wins_over_tag_and_other_refs),
		cmocka_unit_test(tag_and_pull_ref_are_found_by_short_name),
		cmocka_unit_test(part_of_a_name_means_nothing),
		cmocka_unit_test(well_formed_lines_pass_however_cut),
		cmocka_unit_test(page_for_people_is_no_git),
		cmocka_unit_test(endless_name_is_too_large),
		cmocka_unit_test(endless_list_is_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

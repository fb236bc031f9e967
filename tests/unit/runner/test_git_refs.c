#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/str.h"
#include "runner/exec/git_refs.h"

/* ---- which ref is meant ---- */

static void assert_means(const char *text, const char *expected)
{
	static struct git_ref items[] = {
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
	const struct git_refs refs = { .items = items, .len = ARRAY_LEN(items) };
	const struct git_ref *found = git_ref_find(&refs, text);

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

/* ---- what a server says ---- */

/* Bytes that come in two pieces. */
struct pieces {
	struct str all;
	size_t cut, at;
};

static int read_piece(void *data, void *bytes, size_t size, size_t *n, struct err *err)
{
	struct pieces *p = data;
	size_t end = p->at < p->cut ? p->cut : p->all.len;
	(void)err;

	*n = end - p->at < size ? end - p->at : size;
	if (*n)
		memcpy(bytes, p->all.ptr + p->at, *n);
	p->at += *n;
	return 0;
}

static int read_advert(struct git_advert *out, struct str all, size_t cut, struct err *err)
{
	struct pieces pieces = { .all = all, .cut = cut };
	struct git_pkt_reader *lines = git_pkt_open(read_piece, &pieces);

	int rc = git_advert_read(out, lines, err);
	git_pkt_close(lines);
	return rc;
}

/* Cut at every place, the verdict must be the same. */
static void assert_advert(const char *text, size_t len, const char *word)
{
	for (size_t cut = 1; cut <= len; cut++) {
		struct git_advert advert;
		struct err err = { 0 };
		int rc = read_advert(&advert, (struct str){ text, len }, cut, &err);
		assert_string_equal(err.word, word);
		assert_int_equal(rc, *word ? -1 : 0);
		if (rc == 0)
			git_advert_release(&advert);
	}
}

#define ONES "1111111111111111111111111111111111111111"
enum { ENOUGH = 64 * 1024 * 1024 };

#define TWOS "2222222222222222222222222222222222222222"

static void version_0_lists_refs_and_says_what_it_can(void **state)
{
	(void)state;
	static const char text[] =
		"001e# service=git-upload-pack\n0000"
		"0075" ONES
		" HEAD\0side-band-64k shallow symref=HEAD:refs/heads/main agent=git/2.39.5"
		"\n"
		"003d" ONES " refs/heads/main\n"
		"003a" TWOS " refs/tags/v1\n"
		"003d" ONES " refs/tags/v1^{}\n0000";
	struct git_advert advert;
	struct err err = { 0 };

	assert_int_equal(read_advert(&advert, (struct str){ text, sizeof text - 1 }, 1, &err), 0);
	assert_false(advert.v2);
	assert_true(advert.shallow && advert.side_band && advert.is_git);
	assert_false(advert.filter || advert.any_want || advert.thin_pack);
	assert_int_equal(advert.refs.len, 3);
	assert_string_equal(advert.refs.items[0].target, "refs/heads/main");
	assert_string_equal(advert.refs.items[2].name, "refs/tags/v1");
	git_advert_release(&advert);
	assert_advert(text, sizeof text - 1, "");
}

static void version_2_says_what_it_can(void **state)
{
	(void)state;
	static const char text[] = "000eversion 2\n0015agent=git/2.39.5\n0013ls-refs=unborn\n"
				   "0019fetch=shallow filter\n0017object-format=sha1\n0000";
	struct git_advert advert;
	struct err err = { 0 };

	assert_int_equal(read_advert(&advert, (struct str){ text, sizeof text - 1 }, 1, &err), 0);
	assert_true(advert.v2 && advert.shallow && advert.filter && advert.any_want);
	assert_true(advert.is_git);
	git_advert_release(&advert);
	assert_advert(text, sizeof text - 1, "");
}

static void answers_that_are_no_list_of_refs(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "<html>sign in</html>", "git_protocol" },
		{ "001e# service=git-upload-pack\nzzzz", "git_protocol" },
		{ "0003", "git_protocol" },
		{ "ffff1111", "git_protocol" },
		{ "1001", "git_too_large" },
		{ "001e# service=git-upload-pack\n0000", "git_network" },
		{ "003d" ONES " refs/heads/main\n", "git_network" },
		{ "003d" ONES " refs/heads/main\n00", "git_network" },
		{ "003d" ONES " refs/heads/ma\x1bn\n0000", "git_protocol" },
		{ "0010ERR go away\n", "git_protocol" },
		{ "000eversion 2\n0019object-format=sha256\n0000", "git_protocol" },
		{ "000eversion 2\n", "git_network" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_advert(rows[i].text, strlen(rows[i].text), rows[i].word);
}

static int endless(void *data, void *bytes, size_t size, size_t *n, struct err *err)
{
	static const char line[] = "003d" ONES " refs/heads/main\n";
	size_t *at = data;
	(void)err;

	for (*n = 0; *n < size && *at < 2 * (size_t)ENOUGH; ++*n, ++*at)
		((char *)bytes)[*n] = line[*at % (sizeof line - 1)];
	return 0;
}

static void endless_list_is_too_large(void **state)
{
	(void)state;
	size_t at = 0;
	struct git_pkt_reader *lines = git_pkt_open(endless, &at);
	struct git_advert advert;
	struct err err = { 0 };

	assert_int_equal(git_advert_read(&advert, lines, &err), -1);
	assert_string_equal(err.word, "git_too_large");
	assert_in_range(at, ENOUGH, ENOUGH + 2 * 1024 * 1024 + ENOUGH / 8);
	git_pkt_close(lines);
}

static void version_2_lists_refs(void **state)
{
	(void)state;
	static const char text[] = "0052" ONES " HEAD symref-target:refs/heads/main x\n"
				   "003d" TWOS " refs/heads/main\n0000";
	struct pieces pieces = { .all = STR(text), .cut = 7 };
	struct git_pkt_reader *lines = git_pkt_open(read_piece, &pieces);
	struct git_refs refs = { 0 };
	struct err err = { 0 };

	assert_int_equal(git_refs_read(&refs, lines, &err), 0);
	assert_int_equal(refs.len, 2);
	assert_string_equal(refs.items[0].name, "HEAD");
	assert_string_equal(refs.items[0].target, "refs/heads/main");
	assert_string_equal(refs.items[1].name, "refs/heads/main");
	git_refs_release(&refs);
	git_pkt_close(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_name_wins),
		cmocka_unit_test(branch_wins_over_tag_and_other_refs),
		cmocka_unit_test(tag_and_pull_ref_are_found_by_short_name),
		cmocka_unit_test(part_of_a_name_means_nothing),
		cmocka_unit_test(version_0_lists_refs_and_says_what_it_can),
		cmocka_unit_test(version_2_says_what_it_can),
		cmocka_unit_test(answers_that_are_no_list_of_refs),
		cmocka_unit_test(endless_list_is_too_large),
		cmocka_unit_test(version_2_lists_refs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

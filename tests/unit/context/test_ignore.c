/*
 * The ignore rules against moby's own verdicts: tests/fixtures/dockerignore.json was made by the
 * real patternmatcher. Then what a hostile file may cost, and what a user is told.
 */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "common/clock.h"
#include "common/scope.h"
#include "context/ignore.h"

static const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;

static struct ignore *read_rules(const char *text)
{
	struct ignore *set = NULL;
	struct err err;

	assert_works(ignore_read(&set, str_from(text), ".dockerignore", &limits, &err));
	return set;
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- the table ---- */

static int wrong_patterns(const json_t *group, const struct ignore *set)
{
	const json_t *patterns = json_object_get(group, "patterns"), *pattern;
	size_t i;

	if (ignore_rules(set) != json_array_size(patterns)) {
		print_error("%s: %zu rules\n", member(group, "name"), ignore_rules(set));
		return 1;
	}
	json_array_foreach (patterns, i, pattern) {
		if (strcmp(ignore_rule(set, i), json_string_value(pattern)) != 0) {
			print_error("%s: rule '%s'\n", member(group, "name"), ignore_rule(set, i));
			return 1;
		}
	}
	return 0;
}

static bool is_ignored(const struct ignore *set, struct str path)
{
	struct ignore_verdict verdict;
	ignore_match(set, path, &verdict);
	return verdict.ignored;
}

/* A kept path below a folder that a walk would leave out is a path lost. */
static bool is_lost(const struct ignore *set, struct str path)
{
	for (size_t i = 0; i < path.len; i++) {
		struct str folder = str_slice(path, 0, i);
		if (path.ptr[i] == '/' && is_ignored(set, folder) && ignore_may_prune(set, folder))
			return true;
	}
	return false;
}

static int wrong_cases(const json_t *group, const struct ignore *set)
{
	const json_t *one;
	int wrong = 0;
	size_t i;

	json_array_foreach (json_object_get(group, "cases"), i, one) {
		struct str path = str_from(member(one, "path"));
		bool want = json_is_true(json_object_get(one, "ignored"));
		if (is_ignored(set, path) != want) {
			print_error("%s: %s must be %s\n", member(group, "name"), path.ptr,
				    want ? "ignored" : "kept");
			wrong++;
		}
		if (!want && is_lost(set, path)) {
			print_error("%s: %s is lost\n", member(group, "name"), path.ptr);
			wrong++;
		}
	}
	return wrong;
}

static int wrong_in_group(const json_t *group)
{
	struct ignore *set = NULL;
	struct err err = { 0 };
	struct str text = str_from(member(group, "text"));
	int rc = ignore_read(&set, text, ".dockerignore", &limits, &err);

	if (json_object_get(group, "error")) {
		bool ok = rc < 0 && err_is(&err, "ignore_syntax") &&
			  strstr(err.msg, ".dockerignore:1:");
		if (!ok)
			print_error("%s: must be refused (%s)\n", member(group, "name"), err.msg);
		ignore_destroy(set);
		return !ok;
	}
	if (rc < 0) {
		print_error("%s: %s\n", member(group, "name"), err.msg);
		return 1;
	}
	int wrong = wrong_patterns(group, set) + wrong_cases(group, set);
	ignore_destroy(set);
	return wrong;
}

static void every_verdict_is_mobys(void **state)
{
	cleanup_json json_t *groups =
		json_load_file(FIXTURES "/dockerignore.json", JSON_ALLOW_NUL, NULL);
	const json_t *group;
	int wrong = 0;
	size_t i;

	(void)state;
	assert_true(json_array_size(groups) > 80);
	json_array_foreach (groups, i, group) {
		if (member(group, "name"))
			wrong += wrong_in_group(group);
	}
	assert_int_equal(wrong, 0);
}

/* ---- oddities that the table does not hold: what Go's regexp makes of moby's expressions ---- */

static void oddities_are_kept(void **state)
{
	static const struct {
		const char *rule, *path;
		bool ignored;
	} rows[] = {
		{ "^foo*", "foobar", true }, /* an anchor, once there is a wildcard */
		{ "^foo*", "^foobar", false },
		{ "a^*", "a^b", false },
		{ "**^foo", "x^foo", true }, /* no wildcard but the leading stars: a suffix */
		{ "\\d", "7", true },        /* a class of Go's regexp */
		{ "\\d", "d", false },
		{ "[\\w]x", "_x", true },
		{ "[[:digit:]]", "5", true },
		{ "[[:^digit:]]", "x", true },
		{ "[[:^digit:]]", "5", false },
		{ "a[^b]c", "a/c", true },
		{ "a[!b]c", "a!c", true },
		{ "a[!b]c", "axc", false },
		{ "[a]b]c", "ab]c", true },
		{ "a.b*", "axb", false },
		{ "\\x41*", "Abc", true },
		{ "\\101*", "Abc", true },
		{ "\\Qa*\\E", "a[^/]*", true },
		{ "[?]x", "[]x", true },
		{ "[?]x", "?x", false },
		{ "**/**", "a", true },
		{ "***", "a/b", true },
		{ "a/**/b", "a/b", true },
		{ "a/**/b", "a/x/y/b", true },
		{ "a/**/b", "a/xb", false },
		{ "a/**b", "a/xb", false },
		{ "a/**b", "a/x/b", true },
		{ "a**b", "ab", true },
		{ "a**b", "axb", false },
		{ "a**b", "ax/b", true },
		{ "a**", "abc/d", true },
		{ "?", "\xc3\xa9", true },
		{ "??", "\xc3\xa9", false },
		{ "*.log", "a\n.log", true },
		{ "**/x*", "a\nb/x1", false }, /* '.' and newline */
		{ "\\a", "\a", true },
		{ "x\\bx", "xx", false },
		{ "x\\b.y", "x.y", true },
		{ "[a-c\\-]x", "-x", true },
		{ "\\A*", "b", true },
		{ "*\\z", "b", true },
		/* Go reads a pattern only as far as it fits a lone dot: the rest is never refused.
		 */
		{ "file*[-_].txt", "file-1_.txt", true },
		{ "file*[-_].txt", "file-1.txt", false },
		{ "a*[]b]", "ax]", true },
		{ "a*[b-]", "ax-", true },
		{ "**/a*[]b]", "x/ab", true }, /* the double star fits any dot */
		{ "a*\\", "ab$c", true },      /* the backslash takes the anchor's meaning */
		{ "a*\\", "abc", false },
	};
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ignore *set = NULL;
		struct err err = { 0 };
		ignore_read(&set, str_from(rows[i].rule), ".dockerignore", &limits, &err);
		if (!set || is_ignored(set, str_from(rows[i].path)) != rows[i].ignored) {
			print_error("'%s' and '%s': want %s (%s)\n", rows[i].rule, rows[i].path,
				    rows[i].ignored ? "ignored" : "kept", err.msg);
			wrong++;
		}
		ignore_destroy(set);
	}
	assert_int_equal(wrong, 0);
}

/* ---- what a user is told ---- */

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *place;
	} rows[] = {
		{ "a\n# b\n\n[c\n", "d/x.dockerignore:4: " },
		{ "a\r\n!\r\n", "d/x.dockerignore:2: " },
		{ "ok\n\\", "d/x.dockerignore:2: " },
		{ "[z-a]", "d/x.dockerignore:1: " },
		{ "a\\q*", "d/x.dockerignore:1: " },
		{ "[[:nope:]]", "d/x.dockerignore:1: " },
		{ "a[-_]b", "d/x.dockerignore:1: " },
		{ "*[-_]", "d/x.dockerignore:1: " }, /* the star takes the dot: all is read */
		{ ".*[-_]", "d/x.dockerignore:1: " },
		{ "[.-0]*[]b]", "d/x.dockerignore:1: " },
		{ "a*[", "d/x.dockerignore:1: " }, /* no expression either */
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ignore *set;
		assert_fails(ignore_read(&set, str_from(rows[i].text), "d/x.dockerignore", &limits,
					 &err),
			     "ignore_syntax");
		assert_has(err.msg, rows[i].place);
	}
}

static void the_deciding_rule_and_line_are_told(void **state)
{
	struct ignore *set = read_rules("# logs\n*.log\n\n!keep.log\n/dist/\n");
	struct ignore_verdict v;

	(void)state;
	ignore_match(set, STR("a.log"), &v);
	assert_true(v.ignored && v.line == 2);
	assert_string_equal(v.rule, "*.log");
	ignore_match(set, STR("keep.log"), &v);
	assert_true(!v.ignored && v.line == 4);
	assert_string_equal(v.rule, "!keep.log");
	ignore_match(set, STR("dist/app.js"), &v);
	assert_true(v.ignored && v.line == 5);
	ignore_match(set, STR("main.c"), &v);
	assert_true(!v.ignored && v.line == 0 && !v.rule);
	ignore_destroy(set);
}

static void a_rule_of_our_own_comes_first_with_line_0(void **state)
{
	struct ignore *set = read_rules("!.git/**\n");
	struct ignore_verdict v;

	(void)state;
	ignore_prepend(&set, ".git");
	ignore_match(set, STR(".git"), &v);
	assert_true(v.ignored && v.line == 0);
	assert_string_equal(v.rule, ".git");
	ignore_match(set, STR(".git/config"), &v);
	assert_true(!v.ignored && v.line == 1);
	assert_false(ignore_may_prune(set, STR(".git")));
	assert_false(is_ignored(set, STR("sub/.git")));
	ignore_destroy(set);
}

/* ---- pruning ---- */

static void a_folder_is_left_out_only_when_nothing_below_can_come_back(void **state)
{
	static const struct {
		const char *text, *folder;
		bool prune;
	} rows[] = {
		{ "node_modules\n", "node_modules", true },
		{ "*\n!src\n", "build", true },
		{ "*\n!src/main.c\n", "src", false },
		{ "*\n!src/main.c\n", "srcx", true },
		{ "*\n!src/main.c\n", "src/other", true },
		{ "*\n!**/*.go\n", "pkg", false },
		{ "*\n!a*/x\n", "abc", false },
		{ "*\n!a*/x\n", "b", true },
		{ "*\n!docs/**\n", "docs", false },
		{ "*\n!**keep\n", "x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ignore *set = read_rules(rows[i].text);
		if (ignore_may_prune(set, str_from(rows[i].folder)) != rows[i].prune)
			fail_msg("%s in %s", rows[i].folder, rows[i].text);
		ignore_destroy(set);
	}
}

/* ---- hostile files (cases/hostile.tsv, surface dockerignore) ---- */

/* IGN-005, IGN-010. Text that is not UTF-8 is refused: it is no text that somebody wrote. */
static void what_is_no_rule_is_refused(void **state)
{
	static const struct str rows[] = { STR("\\"), STR("a\0b"), STR("\xff\xfe"),
					   STR("a\nb\n\xff\xfe\0c\0") };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ignore *set;
		assert_fails(ignore_read(&set, rows[i], "x", &limits, &err), "ignore_syntax");
	}
}

/* Its folders are not looked at one by one: the verdicts are the same in any order. */
static void a_deep_path_may_come_from_nowhere(void **state)
{
	struct ignore *set = read_rules("a/c*\n!a/cx/**/keep\n**/z/y\n");
	struct buf deep = BUF_INIT;

	(void)state;
	buf_adds(&deep, "a/cx");
	for (int i = 0; i < 40; i++)
		buf_adds(&deep, "/d");
	assert_true(is_ignored(set, buf_str(&deep)));
	assert_true(is_ignored(set, STR("a/cx/d")));
	buf_adds(&deep, "/keep");
	assert_false(is_ignored(set, buf_str(&deep)));
	assert_true(is_ignored(set, str_slice(buf_str(&deep), 0, deep.len - 5)));
	buf_adds(&deep, "/z/y/x");
	assert_true(is_ignored(set, buf_str(&deep)));
	assert_false(is_ignored(set, str_slice(buf_str(&deep), 0, deep.len - 4)));
	assert_false(is_ignored(set, str_slice(buf_str(&deep), 1, deep.len - 4)));
	ignore_destroy(set);
	buf_release(&deep);
}

/* IGN-007 */
static void no_rule_reaches_outside(void **state)
{
	struct ignore *set = read_rules("../secret\n/abs\n./a/../b\n");

	(void)state;
	assert_false(is_ignored(set, STR("secret")));
	assert_true(is_ignored(set, STR("abs")));
	assert_true(is_ignored(set, STR("b")));
	assert_false(is_ignored(set, STR("a")));
	ignore_destroy(set);
}

/* IGN-013 */
static void re_includes_work_at_any_depth(void **state)
{
	struct ignore *set = read_rules("*\n!*/keep\n!**/deep/**\n");

	(void)state;
	assert_true(is_ignored(set, STR("a")));
	assert_false(is_ignored(set, STR("a/keep")));
	assert_true(is_ignored(set, STR("a/b/keep")));
	assert_false(is_ignored(set, STR("a/b/deep/x/y")));
	assert_false(ignore_may_prune(set, STR("a")));
	ignore_destroy(set);
}

static void sizes_have_ceilings(void **state)
{
	const struct ignore_limits small = { .bytes = 100, .rules = 3 };
	struct ignore *set;
	struct buf text = BUF_INIT;
	struct err err;

	(void)state;
	assert_works(ignore_read(&set, STR("a\nb\n#\n\nc\n"), "x", &small, &err));
	ignore_destroy(set);
	assert_fails(ignore_read(&set, STR("a\nb\nc\nd\n"), "x", &small, &err), "ignore_too_large");
	for (int i = 0; i < 101; i++)
		buf_adds(&text, "a");
	assert_fails(ignore_read(&set, buf_str(&text), "x", &small, &err), "ignore_too_large");
	buf_release(&text);
}

static void many_rules_and_paths_stay_cheap(void **state)
{
	struct buf text = BUF_INIT;
	int ignored = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_addf(&text, "%s%d\n", i % 3 ? "**/*.ext" : "folder/sub*/file", i);
	struct ignore *set = read_rules(text.ptr);
	int64_t start = clock_monotonic_ms();
	for (int i = 0; i < 10000; i++) {
		char *path = xasprintf("src/module%d/part/file.ext%d", i, i % 200);
		ignored += is_ignored(set, str_from(path));
		free(path);
	}
	assert_int_equal(ignored, 10000 / 200 * 66);
	assert_true(clock_monotonic_ms() - start < 2000);
	ignore_destroy(set);
	buf_release(&text);
}

/* Rules of which neither beginning nor end is literal; and none of them is meant. */
static void many_rules_that_begin_and_end_openly_stay_cheap(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 2500; i++) {
		buf_addf(&text, "**/name%d/**\n**/name%d-*\n", i, i);
		buf_addf(&text, "**/name%d.[ch]\nfolder/*/name%d?*.[ch]\n", i, i);
	}
	struct ignore *set = read_rules(text.ptr);
	int64_t start = clock_monotonic_ms();
	for (int i = 0; i < 2000; i++) {
		char *path = xasprintf("folder/part/name%dx/name.h", i);
		assert_false(is_ignored(set, str_from(path)));
		free(path);
	}
	assert_true(clock_monotonic_ms() - start < 2000);
	ignore_destroy(set);
	buf_release(&text);
}

/* What was remembered of one path must not leak into the next. */
static void verdicts_do_not_depend_on_what_was_asked_before(void **state)
{
	static const char *const paths[] = {
		"a",     "a/b",   "a/b/c.log", "a/b/c.log/d", "a/bc",   "a/b/keep.log", "ab/c.log",
		"x/y/z", "x/y/q", "x",         "x/keep/z",    "x/keep", "x/keepz/z",    "keep.log",
	};
	struct ignore *set = read_rules("a/b\n!**/keep.log\n*.log\nx/*/z\nx/**/q*\n!x/keep\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct ignore *fresh =
			read_rules("a/b\n!**/keep.log\n*.log\nx/*/z\nx/**/q*\n!x/keep\n");
		bool want = is_ignored(fresh, str_from(paths[i]));
		for (size_t j = 0; j < ARRAY_LEN(paths); j++) {
			is_ignored(set, str_from(paths[j]));
			assert_int_equal(is_ignored(set, str_from(paths[i])), want);
		}
		ignore_destroy(fresh);
	}
	ignore_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_is_mobys),
		cmocka_unit_test(oddities_are_kept),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(the_deciding_rule_and_line_are_told),
		cmocka_unit_test(a_rule_of_our_own_comes_first_with_line_0),
		cmocka_unit_test(a_folder_is_left_out_only_when_nothing_below_can_come_back),
		cmocka_unit_test(what_is_no_rule_is_refused),
		cmocka_unit_test(a_deep_path_may_come_from_nowhere),
		cmocka_unit_test(no_rule_reaches_outside),
		cmocka_unit_test(re_includes_work_at_any_depth),
		cmocka_unit_test(sizes_have_ceilings),
		cmocka_unit_test(many_rules_and_paths_stay_cheap),
		cmocka_unit_test(many_rules_that_begin_and_end_openly_stay_cheap),
		cmocka_unit_test(verdicts_do_not_depend_on_what_was_asked_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What git reads in a .gitmodules we read too; what does harm is refused, with the line. */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "context/gitmodules.h"

static struct gitmodules modules;

static int clear(void **state)
{
	(void)state;
	gitmodules_release(&modules);
	return 0;
}

static void read_text(const char *text)
{
	struct err err;

	gitmodules_release(&modules);
	assert_works(gitmodules_read(&modules, str_from(text), &err));
}

static void assert_entry(size_t i, const char *name, const char *path, const char *url)
{
	assert_true(i < modules.len);
	assert_string_equal(modules.items[i].name, name);
	assert_string_equal(modules.items[i].path ? modules.items[i].path : "(none)", path);
	assert_string_equal(modules.items[i].url ? modules.items[i].url : "(none)", url);
}

static void reads_what_git_writes(void **state)
{
	(void)state;
	read_text("[submodule \"vendor/lib\"]\n\tpath = vendor/lib\n\turl = ../lib.git\n"
		  "\tbranch = main\n\tshallow = true\n\tfetchRecurseSubmodules = false\n"
		  "[submodule \"b\"]\n\tpath = b c\n\turl = https://host/b\n\tupdate = none\n");
	assert_int_equal(modules.len, 2);
	assert_entry(0, "vendor/lib", "vendor/lib", "../lib.git");
	assert_entry(1, "b", "b c", "https://host/b");
	assert_int_equal(modules.items[0].path_line, 2);
	assert_int_equal(modules.items[1].url_line, 9);
	assert_false(modules.items[0].skip);
	assert_true(modules.items[1].skip);
}

/* Each row was given to git config --file. */
static void reads_the_syntax_as_git_does(void **state)
{
	static const struct {
		const char *text, *name, *path;
	} rows[] = {
		{ "\xef\xbb\xbf[submodule \"a\"]\r\n\tpath = x\r\n", "a", "x" },
		{ "[SubModule \"A\"] PATH=x", "A", "x" },
		{ "[submodule.Old]\npath = x\n", "old", "x" },
		{ "[submodule   \"a\"]   path   =   x   ; why\n", "a", "x" },
		{ "# c\n\n; d [x\n[submodule \"a\"] # e\npath = x#y\n", "a", "x" },
		{ "[submodule \"a\"]\npath = \" x # y \" # z\n", "a", " x # y " },
		{ "[submodule \"a\"]\npath = x\" y \"z\n", "a", "x y z" },
		{ "[submodule \"a\"]\npath = x  y  \n", "a", "x  y" },
		{ "[submodule \"a\"]\npath = x\\\ny\n", "a", "xy" },
		{ "[submodule \"a\"]\npath = x\\\\y\\\"z\n", "a", "x\\y\"z" },
		{ "[submodule \"a\\\"b\\\\c\\d\"]\npath = x\n", "a\"b\\cd", "x" },
		{ "[submodule \"a]b\"]\npath = x\n", "a]b", "x" },
		{ "[submodule \"a\"]\npath = x\npath = y\n", "a", "y" },
		{ "[submodule \"a\"]\n[b]\npath = z\n[submodule \"a\"]\npath = y\n", "a", "y" },
		{ "[submodule \"a\"]\nlist\npath = x\n", "a", "x" },
		{ "[submodule \"a\"]\npath = x\\", "a", "x" },
		{ "stray = 1\n[submodule \"a\"]\npath = x\n", "a", "x" },
		{ "[submodule]\nrecurse = true\n[submodule \"a\"]\npath = x\n", "a", "x" },
		{ "[include]\npath = /etc/passwd\n[submodule \"a\"]\npath = x\n", "a", "x" },
		{ "[submodule \"a\"]\npath = \xc3\xa4/\xf0\x9f\x8e\x89 \xff\n", "a",
		  "\xc3\xa4/\xf0\x9f\x8e\x89 \xff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		read_text(rows[i].text);
		assert_int_equal(modules.len, 1);
		assert_entry(0, rows[i].name, rows[i].path, "(none)");
	}
}

static void an_empty_file_has_no_entries(void **state)
{
	(void)state;
	read_text("");
	assert_int_equal(modules.len, 0);
	read_text("\n# nothing\n");
	assert_int_equal(modules.len, 0);
}

static void the_path_that_is_said_last_counts(void **state)
{
	(void)state;
	read_text("[submodule \"a\"]\npath = x\n[submodule \"b\"]\npath = x\n");
	assert_string_equal(gitmodules_find(&modules, STR("x"))->name, "b");
	assert_null(gitmodules_find(&modules, STR("y")));
	assert_null(gitmodules_find(&modules, STR("")));
	read_text("[submodule \"a\"]\n[submodule \"b\"]\npath = x\n[submodule \"a\"]\npath = x\n");
	assert_string_equal(gitmodules_find(&modules, STR("x"))->name, "a");
}

static void hostile_entries_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *word, *says;
	} rows[] = {
		/* REPO-009: CVE-2018-11235 and its neighbours */
		{ "[submodule \"a\"]\npath = ../../x\n", "git_unsafe_submodule", "line 2" },
		{ "[submodule \"../x\"]\npath = a\n", "git_unsafe_submodule", "line 1" },
		{ "[submodule \"..\"]", "git_unsafe_submodule", "'..'" },
		{ "[submodule \"a/../../b\"]", "git_unsafe_submodule", "'..'" },
		{ "[submodule \"a\\\\..\\\\..\\\\b\"]", "git_unsafe_submodule", "'..'" },
		{ "[submodule \"\"]", "git_unsafe_submodule", "empty" },
		{ "[submodule \"/a\"]", "git_unsafe_submodule", "absolute" },
		{ "[submodule \"-u\"]", "git_unsafe_submodule", "'-'" },
		{ "[submodule \"a\tb\"]", "git_unsafe_submodule", "control" },
		{ "[submodule \"a\"]\npath = a/..\n", "git_unsafe_submodule", "'..'" },
		{ "[submodule \"a\"]\npath = \n", "git_unsafe_submodule", "empty" },
		{ "[submodule \"a\"]\npath = /etc\n", "git_unsafe_submodule", "absolute" },
		{ "[submodule \"a\"]\npath = ..\\\\..\\\\x\n", "git_unsafe_submodule", "'..'" },
		{ "[submodule \"a\"]\npath = -q\n", "git_unsafe_submodule", "'-'" },
		{ "[submodule \"a\"]\npath = a\\nb\n", "git_unsafe_submodule", "control" },
		{ "[submodule \"a\"]\npath = ../x\npath = x\n", "git_unsafe_submodule", "line 2" },
		/* REPO-010: CVE-2025-48384 */
		{ "[submodule \"a\"]\npath = \"x\r\"\n", "git_unsafe_submodule", "control" },
		{ "[submodule \"a\"]\npath = x\ry\n", "git_unsafe_submodule", "control" },
		/* REPO-011: CVE-2018-17456 and its neighbours */
		{ "[submodule \"a\"]\nurl = -u./x\n", "url_invalid", "line 2" },
		{ "[submodule \"a\"]\n\nurl = ext::sh -c x\n", "url_invalid", "line 3" },
		{ "[submodule \"a\"]\nurl = file:///etc\n", "url_invalid", "file" },
		{ "[submodule \"a\"]\nurl = https:///x\n", "url_invalid", "host" },
		{ "[submodule \"a\"]\nurl = https://h/a%0ahost=evil\n", "url_invalid", "control" },
		{ "[submodule \"a\"]\nurl = ../%0d\n", "url_invalid", "control" },
		{ "[submodule \"a\"]\nurl = \"https://h/a\\nb\"\n", "url_invalid", "control" },
		{ "[submodule \"a\"]\nurl =\n", "url_invalid", "empty" },
		/* no configuration of git */
		{ "[submodule \"a\"]\npath = \"x\n", "git_unsafe_submodule", "line 2" },
		{ "[submodule \"a\"]\npath = \\q\n", "git_unsafe_submodule", "escape" },
		{ "[submodule \"a\"]\npath\n", "git_unsafe_submodule", "value" },
		{ "[submodule \"a\"]\npath x\n", "git_unsafe_submodule", "'='" },
		{ "[submodule \"a\"]\n= x\n", "git_unsafe_submodule", "key" },
		{ "[submodule \"a\nb\"]\n", "git_unsafe_submodule", "line 1" },
		{ "[submodule \"a\"\n", "git_unsafe_submodule", "']'" },
		{ "[submodule a]\n", "git_unsafe_submodule", "quotes" },
		{ "[submodule", "git_unsafe_submodule", "line 1" },
		{ "\n\n[sub_module]\n", "git_unsafe_submodule", "line 3" },
		{ "<html>\n", "git_unsafe_submodule", "line 1" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(gitmodules_read(&modules, str_from(rows[i].text), &err), rows[i].word);
		assert_has(err.msg, rows[i].says);
		assert_has(err.msg, ".gitmodules line ");
		assert_int_equal(modules.len, 0);
	}
}

static void bytes_of_zero_are_control_characters(void **state)
{
	struct err err;

	(void)state;
	assert_fails(gitmodules_read(&modules, STR("[submodule \"a\"]\npath = x\0y\n"), &err),
		     "git_unsafe_submodule");
	assert_fails(gitmodules_read(&modules, STR("[submodule \"a\0b\"]\n"), &err),
		     "git_unsafe_submodule");
	assert_fails(gitmodules_read(&modules, STR("[submodule \"a\"]\nurl = x\0y\n"), &err),
		     "url_invalid");
}

static void a_message_is_short_however_long_the_path(void **state)
{
	struct buf text = BUF_INIT;
	struct err err;

	(void)state;
	buf_adds(&text, "[submodule \"a\"]\npath = ../");
	for (int i = 0; i < 100000; i++)
		buf_addc(&text, 'x');
	assert_fails(gitmodules_read(&modules, buf_str(&text), &err), "git_unsafe_submodule");
	assert_true(strlen(err.msg) < 400);
	assert_has(err.msg, "'..'");
	buf_release(&text);
}

static void too_much_is_refused(void **state)
{
	struct buf text = BUF_INIT;
	struct err err;

	(void)state;
	for (int i = 0; i < GITMODULES_ENTRIES; i++)
		buf_addf(&text, "[submodule \"%d\"]\npath = %d\n", i, i);
	read_text(text.ptr);
	assert_int_equal(modules.len, GITMODULES_ENTRIES);
	assert_string_equal(gitmodules_find(&modules, STR("999"))->name, "999");
	gitmodules_release(&modules);
	buf_adds(&text, "[submodule \"more\"]\n");
	assert_fails(gitmodules_read(&modules, buf_str(&text), &err), "git_unsafe_submodule");
	assert_int_equal(err.code, ERR_LIMIT);

	buf_clear(&text);
	while (text.len <= GITMODULES_BYTES)
		buf_adds(&text, "# a comment\n");
	assert_fails(gitmodules_read(&modules, buf_str(&text), &err), "git_unsafe_submodule");
	assert_int_equal(err.code, ERR_LIMIT);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(reads_what_git_writes, clear),
		cmocka_unit_test_teardown(reads_the_syntax_as_git_does, clear),
		cmocka_unit_test_teardown(an_empty_file_has_no_entries, clear),
		cmocka_unit_test_teardown(the_path_that_is_said_last_counts, clear),
		cmocka_unit_test(hostile_entries_are_refused_with_their_line),
		cmocka_unit_test(bytes_of_zero_are_control_characters),
		cmocka_unit_test(a_message_is_short_however_long_the_path),
		cmocka_unit_test_teardown(too_much_is_refused, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

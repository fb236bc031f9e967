/* Every row of tests/fixtures/git-context.tsv, and what must not be printed. */
#include "tests/unit/unit.h"

#include "context/context.h"
#include "tests/lib/table.h"

enum { INPUT, KIND, REPOSITORY, REF, FOLDER, USER, PASSWORD };

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static bool same(struct str input, const char *what, const char *got, struct str want)
{
	if (str_is(want, text_or_empty(got)))
		return true;
	print_error("'" STR_FMT "': %s is '%s', want '" STR_FMT "'\n", STR_ARG(input), what,
		    text_or_empty(got), STR_ARG(want));
	return false;
}

static bool row_holds(const struct str *row)
{
	struct context c;
	struct err err = { 0 };

	if (context_parse(&c, row[INPUT], &err) < 0) {
		char *refused = xasprintf("!%s", err.word);
		bool ok = same(row[INPUT], "the verdict", refused, row[KIND]);
		free(refused);
		return ok && *err.msg;
	}
	bool ok = same(row[INPUT], "kind", context_kind_name(c.kind), row[KIND]);
	ok &= same(row[INPUT], "repository", c.repository, row[REPOSITORY]);
	ok &= same(row[INPUT], "ref", c.ref, row[REF]);
	ok &= same(row[INPUT], "folder", c.folder, row[FOLDER]);
	ok &= same(row[INPUT], "user", c.username, row[USER]);
	ok &= same(row[INPUT], "password", secret_reveal(&c.password), row[PASSWORD]);
	context_release(&c);
	return ok;
}

static void every_row_means_what_the_table_says(void **state)
{
	struct table t;
	size_t wrong = 0;

	(void)state;
	table_load(&t, FIXTURES "/git-context.tsv");
	assert_true(t.len > 100);
	for (size_t i = 0; i < t.len; i++)
		wrong += !row_holds(t.rows[i]);
	table_release(&t);
	assert_int_equal(wrong, 0);
}

static void control_characters_are_refused(void **state)
{
	static const struct str rows[] = {
		STR("https://host/app.git\n"),
		STR("https://host/\tapp.git"),
		STR("https://host/app.git#ma\x1bin"),
		STR("git@host:app\r"),
		STR("\x7f"),
		STR("https://host/app.git\0x"),
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct context c;
		assert_fails(context_parse(&c, rows[i], &err), "context_invalid");
	}
}

static void an_error_does_not_repeat_credentials(void **state)
{
	static const char *const rows[] = {
		"https://bob:hunter2@host/app.git#%zz",
		"https://bob:hunter2%zz@host/app.git",
		"https://bob:hunter2@host/app.git?ref=a#b",
		"https://bob:hunter2@host/app.git\n",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct context c;
		assert_fails(context_parse(&c, str_from(rows[i]), &err), "context_invalid");
		assert_null(strstr(err.msg, "hunter2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_means_what_the_table_says),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(an_error_does_not_repeat_credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

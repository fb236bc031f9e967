#include "tests/unit/unit.h"

#include <ctype.h>

#include "cli/verbs.h"

static const char *found(char **words, int n, int *used)
{
	const struct verb *verb = verb_find(n, words, used);
	return verb ? verb->name : NULL;
}

static void one_or_two_words_name_a_verb(void **state)
{
	(void)state;
	char *words[] = { (char *)"task", (char *)"list", (char *)"list-runs", (char *)"build" };
	int used;

	assert_string_equal(found(words, 2, &used), "task list");
	assert_int_equal(used, 2);
	assert_string_equal(found(words + 3, 1, &used), "build");
	assert_int_equal(used, 1);
	assert_null(found(words, 1, &used));
	assert_null(found(words + 1, 2, &used));
	assert_null(found(words, 0, &used));
}

static void every_verb_can_be_explained_and_run(void **state)
{
	(void)state;
	for (const struct verb *verb = cli_verbs; verb->name; verb++) {
		assert_true(verb->run && verb->synopsis);
		assert_true(isupper((unsigned char)verb->summary[0]));
		assert_int_not_equal(verb->summary[strlen(verb->summary) - 1], '.');
	}
}

static void the_first_of_two_words_is_a_group(void **state)
{
	(void)state;
	assert_true(verb_is_group("task"));
	assert_true(verb_is_group("config"));
	assert_false(verb_is_group("build"));
	assert_false(verb_is_group("tas"));
	assert_false(verb_is_group("list"));
	assert_false(verb_is_group(""));
}

static void a_typo_finds_what_was_meant(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second, *meant;
	} rows[] = {
		{ "biuld", ".", "build" },
		{ "serv", NULL, "serve" },
		{ "tsk", "list-runs", "task list-runs" },
		{ "task", "list-run", "task list-runs" },
		{ "task", "cancel", "task cancel-run" },
		{ "list-runs", "-q", "task list-runs" },
		{ "logs", NULL, "task logs" },
		{ "health-check", NULL, NULL },
		{ "checkhealth", NULL, "check-health" },
		{ "frobnicate", "everything", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *meant = verb_meant(rows[i].first, rows[i].second);
		if (rows[i].meant)
			assert_string_equal(meant ? meant : "(nothing)", rows[i].meant);
		else
			assert_null(meant);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_or_two_words_name_a_verb),
		cmocka_unit_test(every_verb_can_be_explained_and_run),
		cmocka_unit_test(the_first_of_two_words_is_a_group),
		cmocka_unit_test(a_typo_finds_what_was_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

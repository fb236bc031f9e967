#include "tests/unit/unit.h"

#include "model/cause.h"

static void whose_move_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		enum run_status status;
	} rows[] = {
		{ "ref_not_found", RUN_FAILED },
		{ "folder_not_found", RUN_FAILED },
		{ "dockerfile_missing", RUN_FAILED },
		{ "build_failed", RUN_FAILED },
		{ "ignore_invalid", RUN_FAILED },
		{ "git_timeout", RUN_ERROR },
		{ "git_network", RUN_ERROR },
		{ "git_auth", RUN_ERROR },
		{ "registry_unreachable", RUN_ERROR },
		{ "registry_auth", RUN_ERROR },
		{ "disk_full", RUN_ERROR },
		{ "engine_missing", RUN_ERROR },
		{ "runner_lost", RUN_ERROR },
		{ "timeout", RUN_TIMEOUT },
		{ "canceled", RUN_CANCELED },
		{ "internal", RUN_ERROR },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct cause *c = cause_of(rows[i].word);
		assert_string_equal(c->word, rows[i].word);
		assert_int_equal(c->status, rows[i].status);
	}
}

static void an_unknown_word_is_our_fault(void **state)
{
	(void)state;
	assert_string_equal(cause_of("no_such_word")->word, "internal");
	assert_string_equal(cause_of("")->word, "internal");
	assert_string_equal(cause_of(NULL)->word, "internal");
}

static void every_row_is_a_word_an_end_and_a_sentence(void **state)
{
	(void)state;
	for (const struct cause *c = cause_table(); c->word; c++) {
		assert_true(strlen(c->word) < ERR_WORD_BYTES);
		assert_int_equal(strspn(c->word, "abcdefghijklmnopqrstuvwxyz_"), strlen(c->word));
		assert_true(run_status_is_terminal(c->status) && c->status != RUN_SUCCEEDED);
		assert_true(c->hint[strlen(c->hint) - 1] == '.');
		assert_ptr_equal(cause_of(c->word), c); /* no word twice */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_move_it_is),
		cmocka_unit_test(an_unknown_word_is_our_fault),
		cmocka_unit_test(every_row_is_a_word_an_end_and_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "cli/options.h"
#include "common/scope.h"

static struct err err;

/* What a verb would have: each kind once. */
struct parsed {
	bool push, quiet, trigger;
	const char *file, *output;
	struct strvec images, operands;
	int64_t top;
};

enum { OWN_ROWS = 6, GLOBAL_ROWS = 3 };

static void rows(struct parsed *p, struct option_def own[OWN_ROWS],
		 struct option_def global[GLOBAL_ROWS])
{
	const struct option_def mine[OWN_ROWS] = {
		{ 'p', "push", OPTION_FLAG, &p->push, NULL, "push it" },
		{ 'f', "file", OPTION_TEXT, &p->file, "FILE", "a file" },
		{ 't', "image", OPTION_LIST, &p->images, "IMAGE", "an image" },
		{ 0, "top", OPTION_NUMBER, &p->top, "N", "at most so many" },
		{ 0, "trigger-enabled", OPTION_BOOL, &p->trigger, "BOOL", "whether" },
		{ 0 },
	};
	const struct option_def everybodys[GLOBAL_ROWS] = {
		{ 'q', "quiet", OPTION_FLAG, &p->quiet, NULL, "ids only" },
		{ 'o', "output", OPTION_TEXT, &p->output, "FORMAT", "format" },
		{ 0 },
	};
	memcpy(own, mine, sizeof mine);
	memcpy(global, everybodys, sizeof everybodys);
}

/* The words end with NULL. */
static int count(const char *const *words)
{
	int n = 0;
	while (words[n])
		n++;
	return n;
}

static int parse(struct parsed *p, const char *const *words)
{
	struct option_def own[OWN_ROWS], global[GLOBAL_ROWS];

	*p = (struct parsed){ 0 };
	rows(p, own, global);
	return options_parse(own, global, count(words), (char **)words, &p->operands, &err);
}

static void parsed_release(struct parsed *p)
{
	strvec_release(&p->images);
	strvec_release(&p->operands);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void options_may_follow_operands(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("one", "-p", "two", "--file", "x", "three")));
	assert_true(p.push);
	assert_string_equal(p.file, "x");
	assert_int_equal(p.operands.len, 3);
	assert_string_equal(p.operands.items[1], "two");
	parsed_release(&p);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("-p", "--", "-t", "--file", "--", "-q")));
	assert_true(p.push && !p.quiet);
	assert_null(p.file);
	assert_int_equal(p.operands.len, 4);
	assert_string_equal(p.operands.items[2], "--");
	parsed_release(&p);
}

static void a_dash_alone_and_an_empty_word_are_operands(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("-", "")));
	assert_int_equal(p.operands.len, 2);
	parsed_release(&p);
}

static void a_value_stands_behind_or_in_the_same_word(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("-t", "a", "-tb", "--image", "c", "--image=d",
				     "--image=", "--image=e=f", "-t=g")));
	static const char *const want[] = { "a", "b", "c", "d", "", "e=f", "=g" };
	assert_int_equal(p.images.len, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(p.images.items[i], want[i]);
	parsed_release(&p);
}

static void letters_may_be_joined(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("-pqt", "image", "-qojson")));
	assert_true(p.push && p.quiet);
	assert_string_equal(p.images.items[0], "image");
	assert_string_equal(p.output, "json");
	parsed_release(&p);
}

static void a_value_is_taken_literally(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("-t", "@file", "--file=@/etc/passwd", "-t", "--push", "-t",
				     "--", "-t", "$HOME`id`")));
	assert_string_equal(p.images.items[0], "@file");
	assert_string_equal(p.file, "@/etc/passwd");
	assert_string_equal(p.images.items[1], "--push");
	assert_string_equal(p.images.items[2], "--");
	assert_string_equal(p.images.items[3], "$HOME`id`");
	assert_false(p.push);
	parsed_release(&p);
}

static void the_last_of_several_values_counts(void **state)
{
	(void)state;
	struct parsed p;

	assert_works(parse(&p, WORDS("--file", "a", "--top", "1", "--file=b", "--top=2")));
	assert_string_equal(p.file, "b");
	assert_int_equal(p.top, 2);
	parsed_release(&p);
}

static void an_unknown_option_names_the_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *word, *message;
	} list[] = {
		{ "--imgae", "unknown option --imgae (did you mean --image?)" },
		{ "--imgae=x", "unknown option --imgae (did you mean --image?)" },
		{ "--quite", "unknown option --quite (did you mean --quiet?)" },
		{ "--trigger", "unknown option --trigger" },
		{ "--something-else", "unknown option --something-else" },
		{ "--\033[2J", "unknown option --?[2J" },
		{ "-x", "unknown option -x" },
		{ "-px", "unknown option -x" },
		{ "---", "unknown option ---" },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct parsed p;
		assert_fails(parse(&p, WORDS("operand", list[i].word)), "usage");
		assert_string_equal(err.msg, list[i].message);
		parsed_release(&p);
	}
}

static void a_long_unknown_option_is_cut(void **state)
{
	(void)state;
	struct parsed p;
	char word[5000];

	memset(word, 'a', sizeof word);
	memcpy(word, "--", 2);
	word[sizeof word - 1] = '\0';
	assert_fails(parse(&p, WORDS(word)), "usage");
	assert_true(strlen(err.msg) < 200);
	parsed_release(&p);
}

static void a_value_must_be_there_and_a_flag_takes_none(void **state)
{
	(void)state;
	struct parsed p;

	assert_fails(parse(&p, WORDS("--file")), "usage");
	assert_string_equal(err.msg, "--file wants a value: --file FILE");
	assert_fails(parse(&p, WORDS("-pt")), "usage");
	assert_string_equal(err.msg, "--image wants a value: --image IMAGE");
	assert_fails(parse(&p, WORDS("--push=yes")), "usage");
	assert_string_equal(err.msg, "--push takes no value");
	assert_fails(parse(&p, WORDS("--push=")), "usage");
}

static void a_number_is_digits_and_fits(void **state)
{
	(void)state;
	static const char *const bad[] = { "",    "-1",  "+1",
					   " 1",  "1 ",  "1.5",
					   "0x1", "1e3", "9223372036854775808" };
	struct parsed p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(parse(&p, WORDS("--top", bad[i])), "usage");
		assert_has(err.msg, "--top wants a number");
	}
	assert_works(parse(&p, WORDS("--top", "9223372036854775807")));
	assert_true(p.top == INT64_MAX);
}

static void a_bool_is_true_or_false(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "True", "TRUE", "yes", "1", "t", "falsetto" };
	struct parsed p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(parse(&p, WORDS("--trigger-enabled", bad[i])), "usage");
		assert_has(err.msg, "true or false");
	}
	assert_works(parse(&p, WORDS("--trigger-enabled=true")));
	assert_true(p.trigger);
	assert_works(parse(&p, WORDS("--trigger-enabled=true", "--trigger-enabled", "false")));
	assert_false(p.trigger);
}

static int leading(const char *const *words)
{
	struct option_def own[OWN_ROWS], global[GLOBAL_ROWS];
	struct parsed p = { 0 };

	rows(&p, own, global);
	return options_leading(global, count(words), (char **)words);
}

static void options_before_the_verb_are_found_with_their_values(void **state)
{
	(void)state;
	assert_int_equal(leading(WORDS("task", "list")), 0);
	assert_int_equal(leading(WORDS("-q", "task")), 1);
	assert_int_equal(leading(WORDS("--output", "json", "-q", "task", "-q")), 3);
	assert_int_equal(leading(WORDS("--output=json", "task")), 1);
	assert_int_equal(leading(WORDS("-ojson", "task")), 1);
	assert_int_equal(leading(WORDS("-qo", "json", "task")), 2);
	assert_int_equal(leading(WORDS("-o")), 1);
	assert_int_equal(leading(WORDS("--push", "task")), 0);
	assert_int_equal(leading(WORDS("-qp", "task")), 0);
	assert_int_equal(leading(WORDS("--", "task")), 0);
	assert_int_equal(leading(WORDS("-", "task")), 0);
}

static void the_help_shows_every_option(void **state)
{
	(void)state;
	struct option_def own[OWN_ROWS], global[GLOBAL_ROWS];
	struct parsed p = { 0 };
	cleanup_buf struct buf text = BUF_INIT;

	rows(&p, own, global);
	options_help(&text, own);
	assert_has(text.ptr, "  -p, --push                     push it\n");
	assert_has(text.ptr, "  -t, --image IMAGE              an image\n");
	assert_has(text.ptr, "      --top N                    at most so many\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_follow_operands),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_dash_alone_and_an_empty_word_are_operands),
		cmocka_unit_test(a_value_stands_behind_or_in_the_same_word),
		cmocka_unit_test(letters_may_be_joined),
		cmocka_unit_test(a_value_is_taken_literally),
		cmocka_unit_test(the_last_of_several_values_counts),
		cmocka_unit_test(an_unknown_option_names_the_nearest),
		cmocka_unit_test(a_long_unknown_option_is_cut),
		cmocka_unit_test(a_value_must_be_there_and_a_flag_takes_none),
		cmocka_unit_test(a_number_is_digits_and_fits),
		cmocka_unit_test(a_bool_is_true_or_false),
		cmocka_unit_test(options_before_the_verb_are_found_with_their_values),
		cmocka_unit_test(the_help_shows_every_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

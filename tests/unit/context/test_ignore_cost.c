/*
 * What a rule costs at worst, counted and not timed: the matcher is compiled for this test so that
 * each call of one of its functions is counted, and no loop of it does much without a call. Twice
 * the path or twice the rule may cost twice as much, and never more.
 */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/scope.h"
#include "context/ignore.h"

static uint64_t calls;

/* What the compiler calls on entering and on leaving a function. */
void __cyg_profile_func_enter(void *function, void *site);
void __cyg_profile_func_exit(void *function, void *site);

void __cyg_profile_func_enter(void *function, void *site)
{
	(void)function;
	(void)site;
	calls++;
}

void __cyg_profile_func_exit(void *function, void *site)
{
	(void)function;
	(void)site;
}

/* `head`, then `part` again and again up to about `bytes`, then `tail`. */
static void repeat(struct buf *out, const char *head, const char *part, size_t bytes,
		   const char *tail)
{
	buf_adds(out, head);
	while (out->len + strlen(part) + strlen(tail) <= bytes)
		buf_adds(out, part);
	buf_adds(out, tail);
}

struct row {
	const char *head, *part, *tail; /* of the rule */
	const char *path, *end;         /* repeated, and behind it */
};

/* They end in a class that fits nothing, so that no index tells the rule from its end. */
static const struct row rows[] = {
	{ "", "a*", "[xy]", "a", "" },
	{ "", "*a", "*[xy]", "a", "" },
	{ "", "**/", "[xy]", "a/", "b" },
	{ "", "***/", "[xy]", "a/", "b" },
	{ "", "*/", "[xy]", "a/", "b" },
	{ "[ab]", "**a", "[xy]", "a/", "a" },
	{ "", "**/a/", "[xy]", "a/", "a" },
	{ "**/", "*a", "/**/[xy]", "aa/", "a" },
	{ "", "?*", "[xy]", "a", "" },
	{ "", "[a-z]*", "[01]", "abcz", "" },
	{ "", "[^b]*", "[xy]", "a/", "a" },
	{ "*", "[a-cx-z]", "[01]", "abcz", "" },
	{ "[", "a-bc-d", "]*[xy]", "a", "" }, /* one class of many ranges */
	{ "", "\\w*", "[!?]", "a", "" },
	{ "?", "\\b*", "[!?]", "a", "" },
	{ "!", "a*", "[xy]", "a", "" },
	{ "*/", "a/", "*[xy]", "a/", "a" },
	{ "*", "\xc3\xa9*", "[xy]", "\xc3\xa9", "" },
};

/* Calls of matching a path of about `path_bytes` with one rule of about `rule_bytes`. */
static uint64_t cost(const struct row *row, size_t rule_bytes, size_t path_bytes)
{
	static const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;
	cleanup_buf struct buf rule = BUF_INIT, path = BUF_INIT;
	struct ignore_verdict verdict;
	struct ignore *set;
	struct err err;

	/* Something to re-include, for a rule that does. */
	if (row->head[0] == '!')
		buf_adds(&rule, "**\n");
	repeat(&rule, row->head, row->part, rule.len + rule_bytes, row->tail);
	repeat(&path, "", row->path, path_bytes, row->end);
	assert_works(ignore_read(&set, buf_str(&rule), "x", &limits, &err));
	calls = 0;
	ignore_match(set, buf_str(&path), &verdict);
	ignore_destroy(set);
	return calls;
}

static uint64_t cost_of_match(const struct row *row, size_t rule_bytes, size_t path_bytes)
{
	/* Reading and releasing cost something as well, which a path of one byte shows. */
	uint64_t all = cost(row, rule_bytes, path_bytes), rest = cost(row, rule_bytes, 1);

	return all > rest ? all - rest : 0;
}

static void the_counter_counts(void **state)
{
	(void)state;
	assert_true(cost_of_match(&rows[0], 100, 1000) > 100 * 1000 / 4);
}

static void twice_the_path_costs_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t once = cost_of_match(&rows[i], 100, 1500);
		uint64_t twice = cost_of_match(&rows[i], 100, 3000);
		if (twice > 2 * once + once / 4 + 2000)
			fail_msg("%s%s…: %llu calls, and %llu for twice the path", rows[i].head,
				 rows[i].part, (unsigned long long)once, (unsigned long long)twice);
	}
}

static void twice_the_rule_costs_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t once = cost_of_match(&rows[i], 100, 1500);
		uint64_t twice = cost_of_match(&rows[i], 200, 1500);
		if (twice > 2 * once + once / 4 + 2000)
			fail_msg("%s%s…: %llu calls, and %llu for twice the rule", rows[i].head,
				 rows[i].part, (unsigned long long)once, (unsigned long long)twice);
	}
}

/* All in all: not more than a few calls for each byte of the rule at each byte of the path. */
static void no_rule_costs_more_than_rule_times_path(void **state)
{
	enum { RULE = 150, PATH = 10000, CALLS = 8 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t calls_made = cost_of_match(&rows[i], RULE, PATH);
		if (calls_made > (uint64_t)CALLS * RULE * PATH)
			fail_msg("%s%s…: %llu calls", rows[i].head, rows[i].part,
				 (unsigned long long)calls_made);
	}
}

static int64_t match_ms(const char *rule, struct str path)
{
	static const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;
	struct ignore_verdict verdict;
	struct ignore *set;
	struct err err;

	assert_works(ignore_read(&set, str_from(rule), "x", &limits, &err));
	int64_t start = clock_monotonic_ms();
	ignore_match(set, path, &verdict);
	int64_t ms = clock_monotonic_ms() - start;
	ignore_destroy(set);
	return ms;
}

/* IGN-002, IGN-003. The bar is 10 ms; a debug build with sanitizers gets ten times that. */
static void rules_made_to_explode_do_not(void **state)
{
	struct buf stars = BUF_INIT, deep = BUF_INIT, name = BUF_INIT, folders = BUF_INIT;

	(void)state;
	for (int i = 0; i < 40; i++)
		buf_adds(&stars, "*a*");
	buf_adds(&stars, "b");
	for (int i = 0; i < 50; i++)
		buf_adds(&deep, "***/");
	buf_adds(&deep, "x");
	for (int i = 0; i < 200; i++) {
		buf_adds(&name, "a");
		buf_adds(&folders, "a/");
	}
	buf_adds(&folders, "y");
	assert_true(match_ms(stars.ptr, buf_str(&name)) < 100);
	assert_true(match_ms(deep.ptr, buf_str(&folders)) < 100);
	assert_true(match_ms(stars.ptr, buf_str(&folders)) < 100);
	assert_true(match_ms(deep.ptr, buf_str(&name)) < 100);
	buf_release(&stars);
	buf_release(&deep);
	buf_release(&name);
	buf_release(&folders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_counts),
		cmocka_unit_test(twice_the_path_costs_twice),
		cmocka_unit_test(twice_the_rule_costs_twice),
		cmocka_unit_test(no_rule_costs_more_than_rule_times_path),
		cmocka_unit_test(rules_made_to_explode_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

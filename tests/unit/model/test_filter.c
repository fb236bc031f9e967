#include "tests/unit/unit.h"

#include "common/buf.h"
#include "common/scope.h"
#include "model/filter.h"

/* The tree as text: (and (= 2 web) …), with fields by number. */
static void show(struct buf *out, const struct filter *f)
{
	static const char *const ops[] = { "and", "or", "=", "!=", ">", ">=", "<", "<=", "~" };

	buf_addf(out, "(%s ", ops[f->op]);
	if (f->left) {
		show(out, f->left);
		buf_addc(out, ' ');
		show(out, f->right);
	} else if (f->text) {
		buf_addf(out, "%d %s", f->field, f->text);
	} else {
		buf_addf(out, "%d %lld", f->field, (long long)f->number);
	}
	buf_addc(out, ')');
}

static void expressions_become_the_tree_that_they_mean(void **state)
{
	(void)state;
	static const struct {
		const char *text, *tree;
	} rows[] = {
		{ "Status eq 'Running'", "(= 2 Running)" },
		{ "status EQ 'running'", "(= 2 Running)" },
		{ "TaskName eq 'build' and Status eq 'Failed'", "(and (= 7 build) (= 2 Failed))" },
		{ "taskName ne 'o''clock'", "(!= 7 o'clock)" },
		{ "runId eq 'ca1'", "(= 0 ca1)" },
		{ "RunType eq 'AUTOBUILD'", "(= 1 AutoBuild)" },
		{ "branchName eq 'main'", "(= 8 main)" },
		{ "isArchiveEnabled eq true", "(= 6 1)" },
		{ "isArchiveEnabled ne False", "(!= 6 0)" },
		{ "createTime ge 1970-01-01T00:00:01Z", "(>= 3 1000)" },
		{ "createTime lt '1970-01-01T00:00:01.500Z'", "(< 3 1500)" },
		{ "finishTime gt 1970-01-01T01:00:00+01:00", "(> 4 0)" },
		{ "finishTime le 1970-01-02", "(<= 4 86400000)" },
		{ "contains(OutputImageManifests, 'repo@sha256:00')", "(~ 5 repo@sha256:00)" },
		{ "contains ( outputImageManifests , 'x' )", "(~ 5 x)" },
		{ "taskName eq 'a' or taskName eq 'b' and status eq 'Error'",
		  "(or (= 7 a) (and (= 7 b) (= 2 Error)))" },
		{ "(taskName eq 'a' or taskName eq 'b') and status eq 'Error'",
		  "(and (or (= 7 a) (= 7 b)) (= 2 Error))" },
		{ "((taskName eq 'a'))", "(= 7 a)" },
		{ "taskName eq ''", "(= 7 )" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filter *f = NULL;
		cleanup_buf struct buf tree = BUF_INIT;
		assert_works(filter_parse(&f, str_from(rows[i].text), &err));
		show(&tree, f);
		assert_string_equal(tree.ptr, rows[i].tree);
		filter_destroy(f);
	}
}

static void mistakes_are_refused_with_their_column(void **state)
{
	(void)state;
	static const struct {
		const char *text, *has;
	} rows[] = {
		{ "", "column 1" },
		{ "   ", "column" },
		{ "Stats eq 'x'", "did you mean status?" },
		{ "'x' eq Status", "column 1" },
		{ "Status", "column 7: expected eq" },
		{ "Status eq", "quotes" },
		{ "Status eq Running", "column 11" },
		{ "Status eq 'Odd'", "Queued, Started" },
		{ "RunType eq 'Odd'", "QuickBuild" },
		{ "Status eq 'Failed", "column 11: the quote is not closed" },
		{ "Status eq 'Failed' and", "column" },
		{ "Status eq 'Failed' Status eq 'x'", "column 20" },
		{ "Status gt 'Failed'", "use eq or ne" },
		{ "TaskName like 'x'", "expected eq" },
		{ "(Status eq 'Failed'", "expected ')'" },
		{ "Status eq 'Failed')", "column 19" },
		{ "isArchiveEnabled eq 1", "true or false" },
		{ "createTime gt yesterday", "2024-01-31T12:00:00Z" },
		{ "createTime gt ", "2024-01-31T12:00:00Z" },
		{ "outputImageManifests eq 'x'", "contains(" },
		{ "contains(taskName, 'x')", "outputImageManifests only" },
		{ "contains outputImageManifests", "expected '('" },
		{ "contains(outputImageManifests 'x')", "expected ','" },
		{ "contains(outputImageManifests,'x'", "expected ')'" },
		{ "not (Status eq 'Failed')", "column 1" },
		{ "' OR 1=1;--", "column 1" },
		{ "taskName eq 'x' -- comment", "column 17" },
	};
	struct err err;
	struct filter *f = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(filter_parse(&f, str_from(rows[i].text), &err), "bad_filter");
		assert_has(err.msg, rows[i].has);
		assert_null(f);
	}
	assert_fails(filter_parse(&f, STR("taskName eq 'a\0b'"), &err), "bad_filter");
	assert_fails(filter_parse(&f, STR("task\0Name eq 'a'"), &err), "bad_filter");
}

static void size_depth_and_terms_are_bounded(void **state)
{
	(void)state;
	struct err err;
	struct filter *f = NULL;
	cleanup_buf struct buf deep = BUF_INIT, wide = BUF_INIT, fits = BUF_INIT;

	for (int i = 0; i < 33; i++)
		buf_addc(&deep, '(');
	assert_fails(filter_parse(&f, buf_str(&deep), &err), "bad_filter");
	assert_has(err.msg, "32 deep");
	for (int i = 0; i < 65; i++)
		buf_addf(&wide, "%srunId eq 'ca1'", i ? " or " : "");
	assert_true(wide.len < 2048);
	assert_fails(filter_parse(&f, buf_str(&wide), &err), "bad_filter");
	assert_has(err.msg, "64 comparisons");
	for (int i = 0; i < 64; i++)
		buf_addf(&fits, "%srunId eq 'ca1'", i ? " or " : "");
	assert_works(filter_parse(&f, buf_str(&fits), &err));
	filter_destroy(f);
	f = NULL;
	buf_clear(&wide);
	while (wide.len <= 2048)
		buf_addc(&wide, ' ');
	assert_fails(filter_parse(&f, buf_str(&wide), &err), "bad_filter");
	assert_has(err.msg, "2048");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_become_the_tree_that_they_mean),
		cmocka_unit_test(mistakes_are_refused_with_their_column),
		cmocka_unit_test(size_depth_and_terms_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

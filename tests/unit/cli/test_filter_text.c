#include "tests/unit/unit.h"

#include "cli/filter_text.h"
#include "common/scope.h"
#include "model/filter.h"

static struct err err;

/* What the service reads is what was meant. */
static void assert_reads_back(const struct buf *text, enum filter_field field, const char *value)
{
	struct filter *f = NULL;

	assert_works(filter_parse(&f, buf_str(text), &err));
	assert_int_equal(f->field, field);
	assert_string_equal(f->text, value);
	filter_destroy(f);
}

static void quotes_are_doubled(void **state)
{
	(void)state;
	static const char *const values[] = { "web", "o'clock", "'", "''", "' or taskName ne '",
					      "a b", "\\'",     "ü", "" };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		cleanup_buf struct buf filter = BUF_INIT;
		filter_text_add(&filter, "TaskName eq ", values[i]);
		assert_reads_back(&filter, FILTER_TASK_NAME, values[i]);
	}
}

static void an_image_is_searched_for(void **state)
{
	(void)state;
	cleanup_buf struct buf filter = BUF_INIT;

	filter_text_contains(&filter, "OutputImageManifests", "it's@sha256:00");
	assert_string_equal(filter.ptr, "contains(OutputImageManifests,'it''s@sha256:00')");
	assert_reads_back(&filter, FILTER_OUTPUT_IMAGES, "it's@sha256:00");
}

static void terms_are_joined_by_and(void **state)
{
	(void)state;
	cleanup_buf struct buf filter = BUF_INIT;

	assert_works(filter_text_status(&filter, "running", &err));
	filter_text_add(&filter, "TaskName eq ", "web");
	filter_text_contains(&filter, "OutputImageManifests", "app");
	filter_text_add(&filter, "BranchName eq ", "main");
	assert_string_equal(filter.ptr,
			    "Status eq 'Running' and TaskName eq 'web' and "
			    "contains(OutputImageManifests,'app') and BranchName eq 'main'");
}

static void what_was_not_asked_is_no_term(void **state)
{
	(void)state;
	cleanup_buf struct buf filter = BUF_INIT;

	filter_text_add(&filter, "TaskName eq ", NULL);
	filter_text_contains(&filter, "OutputImageManifests", NULL);
	assert_works(filter_text_status(&filter, NULL, &err));
	assert_int_equal(filter.len, 0);
}

static void a_status_that_there_is_not_is_refused(void **state)
{
	(void)state;
	static const char *const values[] = { "", "Done", "Running ", "Queued'", "canceling" };

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		cleanup_buf struct buf filter = BUF_INIT;
		assert_fails(filter_text_status(&filter, values[i], &err), "usage");
		assert_has(err.msg, "Succeeded");
		assert_int_equal(filter.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_are_doubled),
		cmocka_unit_test(an_image_is_searched_for),
		cmocka_unit_test(terms_are_joined_by_and),
		cmocka_unit_test(what_was_not_asked_is_no_term),
		cmocka_unit_test(a_status_that_there_is_not_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "model/event.h"

static void a_ref_has_a_short_name(void **state)
{
	(void)state;
	static const struct {
		const char *ref, *name;
		bool tag;
	} rows[] = {
		{ "refs/heads/main", "main", false },
		{ "refs/heads/feature/x", "feature/x", false },
		{ "refs/tags/v1", "v1", true },
		{ "refs/pull/7/head", "refs/pull/7/head", false },
		{ "refs/tagsv1", "refs/tagsv1", false },
		{ NULL, "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event e = { .ref = (char *)rows[i].ref };
		assert_string_equal(event_short_ref(&e), rows[i].name);
		assert_int_equal(event_is_tag(&e), rows[i].tag);
	}
}

static void release_leaves_nothing(void **state)
{
	(void)state;
	struct event e = { .kind = EVENT_PUSH,
			   .name = xstrdup("push"),
			   .sender = xstrdup("octocat") };

	event_release(&e);
	assert_null(e.name);
	event_release(&e);
	event_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ref_has_a_short_name),
		cmocka_unit_test(release_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

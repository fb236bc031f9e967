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

static void refs_are_what_git_takes(void **state)
{
	(void)state;
	static const char *const good[] = { "refs/heads/main",
					    "refs/tags/v1.0",
					    "refs/heads/-oProxyCommand=x",
					    "refs/heads/a@b",
					    "refs/heads/zzz\";echo${IFS}hi;#",
					    "refs/heads/\xc3\xb6",
					    "refs/pull/1/merge" };
	static const char *const bad[] = {
		"",
		"main",
		"refs/",
		"refs/heads/",
		"refs//main",
		"refs/heads/a b",
		"refs/heads/a\nb",
		"refs/heads/../../config",
		"refs/heads/.a",
		"refs/heads/a.",
		"refs/heads/a.lock",
		"refs/heads/a.lock/b",
		"refs/heads/a~1",
		"refs/heads/a^{x}",
		"refs/heads/a:b",
		"refs/heads/a?",
		"refs/heads/*",
		"refs/heads/[a",
		"refs/heads/a\\b",
		"refs/heads/@{-1}",
		"refs/heads/\xff",
		"--upload-pack=x",
		"Refs/heads/a",
		"refs/heads/a..b",
	};
	char longest[256];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(event_ref_is_valid(str_from(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (event_ref_is_valid(str_from(bad[i])))
			fail_msg("'%s' was taken", bad[i]);
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "refs/heads/", 11);
	assert_true(event_ref_is_valid((struct str){ longest, 255 }));
	assert_false(event_ref_is_valid((struct str){ longest, 256 }));
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
		cmocka_unit_test(refs_are_what_git_takes),
		cmocka_unit_test(release_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

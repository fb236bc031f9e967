/* Which URLs a scope covers, and how narrow it is. */
#include "tests/unit/unit.h"

#include "context/url_scope.h"

struct row {
	const char *scope, *url;
	int depth;
};

static void assert_rows(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int got = url_scope_depth(str_from(rows[i].scope), str_from(rows[i].url));
		if (got != rows[i].depth)
			fail_msg("%s in %s: %d, want %d", rows[i].url, rows[i].scope, got,
				 rows[i].depth);
	}
}

static void server_is_scheme_host_and_port(void **state)
{
	static const struct row rows[] = {
		{ "https://git.test", "https://git.test/app.git", 0 },
		{ "https://git.test/", "https://git.test", 0 },
		{ "https://Git.Test/", "HTTPS://gIT.test/app.git", 0 },
		{ "https://git.test/", "https://git.test:443/app.git", 0 },
		{ "https://git.test:443/", "https://git.test/app.git", 0 },
		{ "https://git.test:/", "https://git.test/app.git", 0 },
		{ "http://git.test/", "http://git.test:80/app.git", 0 },
		{ "https://[::1]:3000/", "https://[::1]:3000/app.git", 0 },
		{ "https://git.test/", "http://git.test/app.git", -1 },
		{ "http://git.test/", "https://git.test/app.git", -1 },
		{ "http://git.test:443/", "https://git.test/app.git", -1 },
		{ "https://git.test/", "https://git.test:8443/app.git", -1 },
		{ "https://git.test:8443/", "https://git.test/app.git", -1 },
		{ "https://git.test/", "https://git.test.evil.test/app.git", -1 },
		{ "https://git.test/", "https://evil.git.test/app.git", -1 },
		{ "https://git.test/", "https://git.test@evil.test/app.git", -1 },
		{ "https://git.test/", "https://git.test:443@evil.test/app.git", -1 },
		{ "https://git.test/", "https://evil.test/#https://git.test/", -1 },
		{ "https://git.test/", "https://evil.test?https://git.test/", -1 },
		{ "https://", "https:///app.git", -1 },
		{ "ssh://git.test/", "ssh://git.test/app.git", -1 },
		{ "git@git.test:acme", "git@git.test:acme", -1 },
		{ "", "https://git.test/app.git", -1 },
		{ "https://git.test/", "", -1 },
		{ "https://git.test/", "source/abc.tar.gz", -1 },
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void paths_are_compared_by_whole_components(void **state)
{
	static const struct row rows[] = {
		{ "https://h/acme", "https://h/acme/app.git", 1 },
		{ "https://h/acme/", "https://h/acme/app.git", 1 },
		{ "https://h/acme//", "https://h/acme/app.git", 1 },
		{ "https://h/acme/", "https://h/acme", 1 },
		{ "https://h/a/b/c", "https://h/a/b/c/d/e.git", 3 },
		{ "https://h/acme", "https://h/acme-evil/app.git", -1 },
		{ "https://h/acme", "https://h/acm/app.git", -1 },
		{ "https://h/acme/app", "https://h/acme", -1 },
		{ "https://h/acme", "https://h/ACME/app.git", -1 },
		{ "https://h/acme", "https://h//acme/app.git", -1 },
		{ "https://h/acme/app", "https://h/acme//app", -1 },
		{ "https://h/acme?x", "https://h/acme/app.git?x#y", 1 },
		{ "https://dev.azure.com/org/", "https://org@dev.azure.com/org/p/_git/r", 1 },
		{ "https://org@dev.azure.com/org/p/_git/r", "https://dev.azure.com/org/p/_git/r",
		  4 },
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void a_repository_is_one_with_and_without_git(void **state)
{
	static const struct row rows[] = {
		{ "https://h/acme/app", "https://h/acme/app.git", 2 },
		{ "https://h/acme/app.git", "https://h/acme/app", 2 },
		{ "https://h/acme/app.git/", "https://h/acme/app/", 2 },
		{ "https://h/acme/app", "https://h/acme/app.git/info/lfs/objects/batch", 2 },
		{ "https://h/acme/app.git", "https://h/acme/app/info/lfs", 2 },
		{ "https://h/acme/app.git", "https://h/acme/app.git/wiki", 2 },
		{ "https://h/acme/app", "https://h/acme/app.git.git", -1 },
		{ "https://h/acme", "https://h/acme.git/app", -1 },
		{ "https://h/acme.git", "https://h/acme/app", -1 },
		{ "https://h/acme", "https://h/acme.git/information", -1 },
		{ "https://h/.git", "https://h/", -1 },
		{ "https://h/acme/.git", "https://h/acme/", -1 },
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

static void escapes_are_decoded_and_traps_lie_below_nothing(void **state)
{
	static const struct row rows[] = {
		{ "https://h/My%20Project", "https://h/My%20Project/app.git", 1 },
		{ "https://h/acme", "https://h/%61cm%65/app.git", 1 },
		{ "https://h/%61cme", "https://h/acme/app.git", 1 },
		{ "https://h/a%2bb", "https://h/a%2Bb/x", 1 },
		{ "https://h/a%25b", "https://h/a%2525b/x", -1 },
		{ "https://h/acme", "https://h/acme/../evil/app.git", -1 },
		{ "https://h/acme", "https://h/acme/./app.git", -1 },
		{ "https://h/acme", "https://h/acme/%2e%2E/evil/app.git", -1 },
		{ "https://h/acme", "https://h/acme/x%2f..%2f..%2fevil.git", -1 },
		{ "https://h/acme", "https://h/acme/..%5cevil.git", -1 },
		{ "https://h/acme", "https://h/acme/app%0a.git", -1 },
		{ "https://h/acme", "https://h/acme/app%00.git", -1 },
		{ "https://h/acme", "https://h/acme/app%zz.git", -1 },
		{ "https://h/acme", "https://h/acme/app%2", -1 },
		{ "https://h/acme/..", "https://h/evil", -1 },
		{ "https://h/acme%2fapp", "https://h/acme/app", -1 },
	};

	(void)state;
	assert_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_is_scheme_host_and_port),
		cmocka_unit_test(paths_are_compared_by_whole_components),
		cmocka_unit_test(a_repository_is_one_with_and_without_git),
		cmocka_unit_test(escapes_are_decoded_and_traps_lie_below_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "common/scope.h"
#include "context/policy.h"
#include "runner/exec/git_lfs_url.h"

static struct err err;

static void server_is_the_one_that_git_lfs_guesses(void **state)
{
	static const struct {
		const char *repository, *server;
	} rows[] = {
		{ "https://git-server.com/foo/bar", "https://git-server.com/foo/bar.git/info/lfs" },
		{ "https://git-server.com/foo/bar.git",
		  "https://git-server.com/foo/bar.git/info/lfs" },
		{ "https://git-server.com/foo/bar/",
		  "https://git-server.com/foo/bar.git/info/lfs" },
		{ "https://git-server.com/foo/bar.git//",
		  "https://git-server.com/foo/bar.git/info/lfs" },
		{ "https://dev.azure.com/org/my%20project/_git/app",
		  "https://dev.azure.com/org/my%20project/_git/app.git/info/lfs" },
		{ "https://h:8443/bar.gitx?a=b#c", "https://h:8443/bar.gitx.git/info/lfs" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *got = git_lfs_server_url(str_from(rows[i].repository));
		assert_string_equal(got, rows[i].server);
	}
}

static void credential_stays_below_the_repository(void **state)
{
	static const struct {
		const char *repository, *href;
		bool below;
	} rows[] = {
		{ "https://h/a/b", "https://h/a/b.git/info/lfs/objects/1", true },
		{ "https://h/a/b.git", "https://h/a/b.git/gitlab-lfs/objects/1?x=../y", true },
		{ "https://h/a/b.git", "https://h/a/b/info/lfs/objects/1", true },
		{ "https://h/a/b", "https://h/a/bb.git/info/lfs/objects/1", false },
		{ "https://h/a/b", "https://H:443/a/b.git/x", true },
		{ "https://h/a/b", "https://h/a/b.gitx/1", false },
		{ "https://h/a/b", "https://h/a/c.git/1", false },
		{ "https://h/a/b", "http://h/a/b.git/1", false },
		{ "https://h/a/b", "https://h:8443/a/b.git/1", false },
		{ "https://h/a/b", "https://h.evil.org/a/b.git/1", false },
		{ "https://h/a/b", "https://h@evil.org/a/b.git/1", false },
		{ "https://h/a/b", "https://evil.org/?https://h/a/b.git/1", false },
		{ "https://h/a/b", "https://h/a/b.git/../c.git/1", false },
		{ "https://h/a/b", "https://h/a/b.git/x/..%2f..", false },
		{ "https://h/a/b", "https://h/a/b.git/%2E%2E/c", false },
		{ "https://h/a/b", "https://h/a/b.git/.%2e/c", false },
		{ "https://h/a/b", "https://h/a/b.git/\\c", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (git_lfs_is_below(str_from(rows[i].repository), str_from(rows[i].href)) !=
		    rows[i].below)
			fail_msg("%s and %s", rows[i].repository, rows[i].href);
	}
}

static void places_that_may_be_fetched_from(void **state)
{
	struct strvec schemes = { 0 };
	const struct policy policy = { .schemes = &schemes };
	cleanup_free char *signature = xmalloc(GIT_LFS_HREF_MAX + 1);
	static const struct {
		const char *href, *word;
	} rows[] = {
		{ "https://bucket.example.org/objects/1?X-Signature=a/b%2B&x={}", NULL },
		{ "https://example.org:443/1", NULL },
		{ "http://example.org/1", "scheme_denied" },
		{ "file:///etc/passwd", "scheme_denied" },
		{ "gopher://example.org/1", "scheme_denied" },
		{ "//example.org/1", "scheme_denied" },
		{ "/objects/1", "scheme_denied" },
		{ "", "git_protocol" },
		{ "https://127.0.0.1/1", "address_denied" },
		{ "https://[::ffff:10.0.0.1]/1", "address_denied" },
		{ "https://2130706433/1", "address_denied" },
		{ "https://localhost/1", "address_denied" },
		{ "https://example.org:22/1", "port_denied" },
		{ "https://user:password@example.org/1", "git_protocol" },
		{ "https://example.org/1\r\nHost: x", "git_protocol" },
		{ "https://example.org/1?a\r\nX: y", "git_protocol" },
		{ "https://example.org/1?a b", "git_protocol" },
		{ "https://ex\xc3\xa4mple.org/1", "git_protocol" },
		{ "-https://example.org/", "git_protocol" },
	};
	(void)state;
	strvec_push(&schemes, "https");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str href = str_from(rows[i].href);
		if (!rows[i].word)
			assert_works(git_lfs_check_href(href, &policy, &err));
		else
			assert_fails(git_lfs_check_href(href, &policy, &err), rows[i].word);
	}
	memset(signature, 'x', GIT_LFS_HREF_MAX + 1);
	memcpy(signature, "https://example.org/?", strlen("https://example.org/?"));
	assert_works(
		git_lfs_check_href((struct str){ signature, GIT_LFS_HREF_MAX }, &policy, &err));
	assert_fails(git_lfs_check_href((struct str){ signature, GIT_LFS_HREF_MAX + 1 }, &policy,
					&err),
		     "git_protocol");
	strvec_release(&schemes);
}

static void url_of_an_lfsconfig(void **state)
{
	static const struct {
		const char *text, *url;
	} rows[] = {
		{ "[lfs]\n\turl = https://lfs.example.org/foo\n", "https://lfs.example.org/foo" },
		{ "[LFS]\r\nURL=\"https://x/#y\" ; why\r\n", "https://x/#y" },
		{ "[lfs] url = https://x # why\n", "https://x" },
		{ "[lfs]\nurl = a\n[other]\nurl = b\n", "a" },
		{ "[lfs]\nurl = a\nurl = b", "b" },
		{ "[lfs \"x\"]\nurl = a\n", "" },
		{ "[lfs]\n# url = a\n;url = b\nfetchinclude = url\n", "" },
		{ "url = a\n", "" },
		{ "[lfs", "" },
		{ "[lfs]\nurl = \"", "" },
		{ "", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = git_lfs_config_url(str_from(rows[i].text));
		if (!str_is(got, rows[i].url))
			fail_msg("%s: " STR_FMT, rows[i].text, STR_ARG(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_is_the_one_that_git_lfs_guesses),
		cmocka_unit_test(credential_stays_below_the_repository),
		cmocka_unit_test(places_that_may_be_fetched_from),
		cmocka_unit_test(url_of_an_lfsconfig),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

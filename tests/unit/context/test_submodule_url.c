/* Where a submodule is fetched from: git's rule for relative URLs, our policy for all of them. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "context/policy.h"
#include "context/submodule_url.h"

static struct strvec https_alone;
static const struct policy strict = { .schemes = &https_alone };

static int set_up(void **state)
{
	(void)state;
	strvec_push(&https_alone, "https");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strvec_release(&https_alone);
	return 0;
}

struct row {
	const char *base, *url, *want;
};

/* `want` is the address, or the word of the error. */
static void assert_row(const struct row *row)
{
	struct err err = { 0 };
	char *got = NULL;
	int rc =
		submodule_url_resolve(&got, str_from(row->url), str_from(row->base), &strict, &err);

	if (strcmp(rc < 0 ? err.word : got, row->want) != 0)
		fail_msg("%s on %s: %s, want %s (%s)", row->url, row->base, rc < 0 ? err.word : got,
			 row->want, err.msg);
	free(got);
}

/* Each of these was given to git submodule init, where git has an answer that is a URL. */
static void relative_urls_follow_the_rule_of_git(void **state)
{
	static const struct row rows[] = {
		{ "https://h/acme/app.git", "../lib.git", "https://h/acme/lib.git" },
		{ "https://h/acme/app.git", "../lib", "https://h/acme/lib" },
		{ "https://h/acme/app.git/", "../lib.git", "https://h/acme/lib.git" },
		{ "https://h/acme/app.git//", "../lib.git", "https://h/acme/app.git/lib.git" },
		{ "https://h/acme/app.git", "../lib.git/", "https://h/acme/lib.git" },
		{ "https://h/acme/app.git", "./lib.git", "https://h/acme/app.git/lib.git" },
		{ "https://h/acme/app.git", "../../other/lib", "https://h/other/lib" },
		{ "https://h/acme/app.git", ".././../other/lib", "https://h/other/lib" },
		{ "https://h/acme/app.git", "./../lib", "https://h/acme/lib" },
		{ "https://h/acme/app.git", "../", "https://h/acme/" },
		{ "https://h/acme/app.git", "./", "https://h/acme/app.git/" },
		{ "https://h/a/b/app.git", "../lib", "https://h/a/b/lib" },
		{ "https://h:443/acme/app", "../lib", "https://h:443/acme/lib" },
		{ "https://h/My%20Org/app", "../my%20lib", "https://h/My%20Org/my%20lib" },
		{ "https://dev.azure.com/org/pro%20ject/_git/repo", "../lib",
		  "https://dev.azure.com/org/pro%20ject/_git/lib" },
		{ "https://org@dev.azure.com/org/project/_git/repo", "../../../other/_git/lib",
		  "https://dev.azure.com/org/other/_git/lib" },
		{ "https://org.visualstudio.com/project/_git/repo", "../lib",
		  "https://org.visualstudio.com/project/_git/lib" },
		/* the user part, a query and a fragment of the base do not go along */
		{ "https://bob:pw@h/acme/app.git", "../lib", "https://h/acme/lib" },
		{ "https://h/acme/app.git?a=/b#c/d", "../lib", "https://h/acme/lib" },
		{ "https://h/app.git", "../lib", "https://h/lib" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_row(&rows[i]);
}

static void relative_urls_stay_on_the_host(void **state)
{
	static const struct row rows[] = {
		{ "https://h/acme/app.git", "../../../lib", "url_invalid" },
		{ "https://h/acme/app.git", "../../../evil", "url_invalid" },
		{ "https://h/acme/app.git", "../../../../evil.example/x", "url_invalid" },
		{ "https://h/acme/app.git", "../../../../../evil.example/x", "url_invalid" },
		{ "https://h/acme/app.git", "../x/../../../lib", "url_invalid" },
		{ "https://h/acme/app.git", "../x/%2e%2e/%2e%2e/lib", "url_invalid" },
		{ "https://h/acme/app.git", "./x/./lib", "url_invalid" },
		{ "https://h/acme/app.git", "../lib#main", "url_invalid" },
		{ "https://h/acme/app.git", "../a b", "url_invalid" },
		{ "https://h/", "../lib", "url_invalid" },
		{ "https://h/app", "../../lib", "url_invalid" },
		{ "https://h/app", "../", "url_invalid" },
		{ "/srv/git/app", "../lib", "url_invalid" },
		{ "git@h:acme/app", "../lib", "url_invalid" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_row(&rows[i]);
}

static void absolute_urls_have_the_policy_of_every_repository(void **state)
{
	static const char *const base = "https://h/acme/app.git";
	static const struct row rows[] = {
		{ base, "https://github.com/acme/lib.git", "https://github.com/acme/lib.git" },
		{ base, "https://github.com/acme/lib.git/", "https://github.com/acme/lib.git/" },
		/* a name before '@', as forges offer it, but no password */
		{ base, "https://org@dev.azure.com/org/p%20q/_git/lib",
		  "https://dev.azure.com/org/p%20q/_git/lib" },
		{ base, "https://bob@bitbucket.org/acme/lib?x=1",
		  "https://bitbucket.org/acme/lib?x=1" },
		{ base, "https://bob:hunter2@h/acme/lib", "url_has_credentials" },
		{ base, "http://h/acme/lib", "scheme_denied" },
		{ base, "git://h/acme/lib", "scheme_denied" },
		{ base, "git@h:acme/lib.git", "scheme_denied" },
		{ base, "ssh://git@h/acme/lib.git", "scheme_denied" },
		{ base, "ssh://-oProxyCommand=x/lib", "url_invalid" },
		{ base, "/srv/git/lib", "scheme_denied" },
		{ base, "lib.git", "scheme_denied" },
		{ base, "..", "scheme_denied" },
		{ base, "https://127.0.0.1/lib", "address_denied" },
		{ base, "https://localhost/lib", "address_denied" },
		{ base, "https://h:22/lib", "port_denied" },
		{ base, "https://h/", "url_invalid" },
		{ base, "https://h/a/../b", "url_invalid" },
		{ base, "https://h/lib#main", "url_invalid" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_row(&rows[i]);
}

static void an_ssh_url_is_answered_with_what_to_write_instead(void **state)
{
	static const struct {
		const char *url, *says;
	} rows[] = {
		{ "git@github.com:acme/lib.git", "https://github.com/acme/lib.git" },
		{ "git@github.com:/acme/lib.git", "https://github.com/acme/lib.git" },
		{ "ssh://git@host:7999/acme/lib.git", "https://host/acme/lib.git" },
		{ "git@ssh.dev.azure.com:v3/org/project/lib",
		  "https://dev.azure.com/org/project/_git/lib" },
	};
	struct err err;
	char *out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(submodule_url_resolve(&out, str_from(rows[i].url), STR("https://h/a"),
						   &strict, &err),
			     "scheme_denied");
		assert_has(err.msg, rows[i].says);
	}
}

static void what_no_submodule_is_called_is_refused_as_it_is_written(void **state)
{
	static const char *const wrong[] = {
		"",          "-u",        "../a%zz%0ab", "--upload-pack=x", "ext::sh -c x",
		"fd::7",     "FILE:///x", "file://h/x",  "https:///x",      "https://",
		"a\nb",      "../a%0ab",  "../a\x7f",    "https://h/%0D",   "h%00",
		"file:/etc",
	};
	static const char *const right[] = {
		"../a", "./a", "https://h/a%20b", "git@h:a/b", "h:a", "../a:b", "a/b::c", "/srv/x",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_fails(submodule_url_check(str_from(wrong[i]), &err), "url_invalid");
	}
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		assert_works(submodule_url_check(str_from(right[i]), &err));
}

static void own_host_is_allowed_and_others_when_they_are_listed(void **state)
{
	static const struct {
		const char *url, *main_url;
		bool allowed;
	} rows[] = {
		{ "https://h/a", "https://h/b", true },
		{ "https://H:443/a", "https://h./b", true },
		{ "http://h/a", "https://h/b", true },
		{ "https://h:8443/a", "https://h/b", false },
		{ "https://h.evil/a", "https://h/b", false },
		{ "https://sub.h/a", "https://h/b", false },
		{ "https://dev.azure.com/org/p/_git/a", "https://org.visualstudio.com/p/_git/b",
		  true },
		{ "https://www.github.com/acme/a", "https://github.com/acme/b", true },
		{ "https://one.example/a", "https://h/b", true },
		{ "https://ONE.example/a", "https://h/b", true },
		{ "https://one.example:8443/a", "https://h/b", true },
		{ "https://two.example/a", "https://h/b", false },
		{ "http://[2001:db8::1]:3000/a", "https://h/b", true },
		{ "https://one.example.evil/a", "https://h/b", false },
	};
	struct strvec hosts = { 0 };

	(void)state;
	strvec_push(&hosts, "One.example");
	strvec_push(&hosts, "[2001:db8::1]");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (submodule_host_allowed(rows[i].url, rows[i].main_url, &hosts) !=
		    rows[i].allowed)
			fail_msg("%s for %s", rows[i].url, rows[i].main_url);
	}
	strvec_release(&hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_urls_follow_the_rule_of_git),
		cmocka_unit_test(relative_urls_stay_on_the_host),
		cmocka_unit_test(absolute_urls_have_the_policy_of_every_repository),
		cmocka_unit_test(an_ssh_url_is_answered_with_what_to_write_instead),
		cmocka_unit_test(what_no_submodule_is_called_is_refused_as_it_is_written),
		cmocka_unit_test(own_host_is_allowed_and_others_when_they_are_listed),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

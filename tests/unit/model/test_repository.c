#include "tests/unit/unit.h"

#include "common/scope.h"
#include "model/repository.h"

/* Every URL of a row is the same repository. */
static const struct {
	const char *identity;
	const char *urls[16];
} same[] = {
	{ "github.com/acme/app",
	  { "https://github.com/acme/app.git", "https://github.com/acme/app",
	    "https://github.com/acme/app/", "https://github.com/acme/app.git/",
	    "https://GitHub.com:443/ACME/App.git", "http://github.com/acme/app",
	    "https://user:pw@github.com/acme/app.git#main:folder", "git@github.com:acme/app.git",
	    "git@github.com:/acme/app", "ssh://git@github.com/acme/app.git",
	    "ssh://git@ssh.github.com:443/acme/app.git", "git://github.com/acme/app.git",
	    "github.com/acme/app", "https://www.github.com/acme/app",
	    "HTTPS://github.com./acme//app" } },
	{ "git.example.org/Team/App",
	  { "https://git.example.org/Team/App.git", "https://GIT.example.org:443/Team/App",
	    "http://git.example.org:80/Team/App", "git@git.example.org:Team/App.git",
	    "https://git.example.org/Team%2FApp", "https://git.example.org/%54eam/App?x=1#y",
	    "bob@git.example.org:Team/App" } },
	{ "127.0.0.1:8080/r/app",
	  { "http://127.0.0.1:8080/r/app.git", "http://127.0.0.1:8080/r/app#refs/heads/main" } },
	{ "[::1]:3000/a", { "http://[::1]:3000/a.git" } },
	{ "[::1]/a", { "http://[::1]/a.git", "git@[::1]:a" } },
	{ "gitlab.com/group/sub/app",
	  { "https://gitlab.com/Group/Sub/App.git", "git@altssh.gitlab.com:group/sub/app",
	    "ssh://git@altssh.gitlab.com:443/group/sub/app.git" } },
	{ "bitbucket.org/team/app", { "https://bob@bitbucket.org/Team/App.git" } },
	{ "dev.azure.com/org/project/repo",
	  { "https://dev.azure.com/org/project/_git/repo",
	    "https://org@dev.azure.com/org/Project/_git/Repo",
	    "https://dev.azure.com/org/project/_git/repo#main:src",
	    "https://org.visualstudio.com/project/_git/repo",
	    "https://org.visualstudio.com/DefaultCollection/project/_git/repo",
	    "git@ssh.dev.azure.com:v3/org/project/repo",
	    "org@vs-ssh.visualstudio.com:v3/org/project/repo",
	    "ssh://git@ssh.dev.azure.com/v3/org/project/repo", "dev.azure.com/org/project/repo",
	    "https://dev.azure.com/org/project/_git/_optimized/repo" } },
	{ "dev.azure.com/org/repo/repo",
	  { "https://dev.azure.com/org/_git/repo", "https://dev.azure.com/org/repo/_git/repo",
	    "https://org.visualstudio.com/_git/repo",
	    "https://org.visualstudio.com/DefaultCollection/_git/repo" } },
	{ "dev.azure.com/org/my project/my repo",
	  { "https://dev.azure.com/org/My%20Project/_git/my%20repo",
	    "https://org.visualstudio.com/my%20project/_git/My%20Repo" } },
	{ "host/.git", { "https://host/.git" } },
};

static void all_shapes_of_one_repository_are_equal(void **state)
{
	(void)state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		for (const char *const *url = same[i].urls; *url; url++) {
			char *id = NULL;
			assert_works(repository_identity(&id, str_from(*url), &err));
			if (strcmp(id, same[i].identity) != 0)
				fail_msg("%s is %s, not %s", *url, id, same[i].identity);
			free(id);
		}
	}
}

static void different_repositories_stay_different(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "https://git.example.org/Team/app", "https://git.example.org/team/app" },
		{ "https://git.example.org/a", "https://git.example.org:8443/a" },
		{ "https://github.com/acme/app", "https://github.com.evil.org/acme/app" },
		{ "https://github.com/acme/app", "https://evil.org/github.com/acme/app" },
		{ "https://github.com@evil.org/acme/app", "https://github.com/acme/app" },
		{ "https://dev.azure.com/org/a/_git/b", "https://dev.azure.com/org/b/_git/b" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		cleanup_free char *a = NULL, *b = NULL;
		assert_works(repository_identity(&a, str_from(pairs[i][0]), &err));
		assert_works(repository_identity(&b, str_from(pairs[i][1]), &err));
		if (strcmp(a, b) == 0)
			fail_msg("%s and %s are both %s", pairs[i][0], pairs[i][1], a);
	}
}

static void an_error_does_not_repeat_credentials(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"https://bob:hunter2@host:99999/x",
		"https://hunter2@host/a/../b",
		"ftp://bob:hunter2@host/x",
		"https://bob:hun@ter2@host/%zz",
	};
	struct err err;
	char *id = NULL;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		assert_fails(repository_identity(&id, str_from(urls[i]), &err), "url_invalid");
		assert_null(strstr(err.msg, "hunter2"));
		assert_null(strstr(err.msg, "ter2"));
		assert_has(err.msg, "host");
	}
}

static void what_names_no_repository_is_refused(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"",
		"#main",
		"app",
		"./app",
		"../app",
		"/srv/git/app",
		"https://",
		"https:///evil/x",
		"https://host",
		"https://host/",
		"https://host//",
		"https://host:99999/x",
		"https://host:0/x",
		"https://host:x/x",
		"https://host/%zz",
		"https://host/%00",
		"https://host/a%0ab",
		"https://host/a/../b",
		"https://host/%2e%2e/b",
		"https://host/%ff",
		"https://ho st/a",
		"https://ho\xd1\x95t/x",
		"https://-oProxyCommand=x/y",
		"file:///etc",
		"gopher://127.0.0.1:11211/x",
		"ext::sh -c touch",
		"--upload-pack=touch /x",
		"fd::7",
		"://host/a",
		"https://[::1/a",
		"https://[evil]/a",
		"git@:a/b",
		"git@host:",
	};
	struct err err;
	char *id = NULL;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		if (repository_identity(&id, str_from(urls[i]), &err) == 0)
			fail_msg("'%s' is %s", urls[i], id);
		assert_string_equal(err.word, "url_invalid");
	}
	assert_fails(repository_identity(&id, STR("https://h\0st/a"), &err), "url_invalid");
	assert_null(id);
}

static void a_very_long_url_is_refused_with_a_short_answer(void **state)
{
	(void)state;
	struct err err;
	char *id = NULL;
	char url[4000];

	memset(url, 'a', sizeof url);
	memcpy(url, "https://h/", 10);
	assert_fails(repository_identity(&id, (struct str){ url, sizeof url }, &err),
		     "url_invalid");
	assert_true(strlen(err.msg) < 300);
	assert_works(repository_identity(&id, (struct str){ url, 2048 }, &err));
	free(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_shapes_of_one_repository_are_equal),
		cmocka_unit_test(different_repositories_stay_different),
		cmocka_unit_test(an_error_does_not_repeat_credentials),
		cmocka_unit_test(what_names_no_repository_is_refused),
		cmocka_unit_test(a_very_long_url_is_refused_with_a_short_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

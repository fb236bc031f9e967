/* What a runner is told: configuration and run together. */
#include "config/config.h"
#include "model/run.h"
#include "server/app.h"
#include "server/specify.h"
#include "tests/unit/unit.h"

struct world {
	struct config config;
	struct app app;
};

static int world_open(void **state)
{
	struct world *w = xnew(struct world);

	config_defaults(&w->config);
	w->app = (struct app){ .config = &w->config, .data_dir = "/var/lib/slipway" };
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	config_release(&w->config);
	free(w);
	return 0;
}

static void add_credential(struct world *w, const char *url, const char *token)
{
	struct config_git *git = &w->config.git;

	git->credentials =
		xreallocarray(git->credentials, git->credentials_len + 1, sizeof *git->credentials);
	struct config_git_credential *c = &git->credentials[git->credentials_len++];
	*c = (struct config_git_credential){ .url = xstrdup(url) };
	secret_set(&c->token, str_from(token));
}

/* The token that a build of this context gets; "" for none. Owned by the caller. */
static char *token_for(struct world *w, const char *context, const char *own)
{
	struct run run = { .id = (char[]){ "ca1" }, .registry = (char[]){ "main" }, .attempt = 1 };
	struct spec spec;
	struct err err;

	run.build.context = (char *)context;
	if (own)
		secret_set(&run.build.context_token, str_from(own));
	assert_works(specify_run(&spec, &run, &w->app, &err));
	char *token = xstrdup(secret_reveal(&spec.build.context_token));
	spec_release(&spec);
	secret_release(&run.build.context_token);
	return token;
}

static void assert_token(struct world *w, const char *context, const char *own, const char *wanted)
{
	char *token = token_for(w, context, own);

	assert_string_equal(token, wanted);
	free(token);
}

static void longest_credential_prefix_wins(void **state)
{
	struct world *w = *state;

	add_credential(w, "https://git.test/", "host");
	add_credential(w, "https://git.test/acme/", "acme");
	assert_token(w, "https://git.test/acme/app.git#main:web", NULL, "acme");
	assert_token(w, "https://git.test/other/app.git", NULL, "host");
	assert_token(w, "https://GIT.test/acme/app.git", NULL, "acme");
}

static void credential_is_bound_to_host_and_path(void **state)
{
	struct world *w = *state;

	add_credential(w, "https://git.test/acme", "acme");
	assert_token(w, "https://git.test/acme-evil/app.git", NULL, "");
	assert_token(w, "https://git.test.evil.test/acme/app.git", NULL, "");
	assert_token(w, "https://git.test:8443/acme/app.git", NULL, "");
	assert_token(w, "http://git.test/acme/app.git", NULL, "");
	assert_token(w, "https://git.test/ACME/app.git", NULL, "");
	assert_token(w, "https://evil.test/#https://git.test/acme/", NULL, "");
	assert_token(w, NULL, NULL, "");
}

static void token_of_the_build_wins(void **state)
{
	struct world *w = *state;

	add_credential(w, "https://git.test/", "configured");
	assert_token(w, "https://git.test/app.git", "own", "own");
}

static void name_and_password_are_told_apart(void **state)
{
	struct world *w = *state;
	struct run run = { .id = (char[]){ "ca1" }, .registry = (char[]){ "main" }, .attempt = 1 };
	struct spec spec;
	struct err err;

	secret_set(&run.build.context_token, STR("ada:open:sesame"));
	assert_works(specify_run(&spec, &run, &w->app, &err));
	assert_string_equal(spec.git_username, "ada");
	assert_string_equal(secret_reveal(&spec.build.context_token), "open:sesame");
	spec_release(&spec);
	secret_release(&run.build.context_token);
}

static void deadline_counts_from_the_start_of_the_run(void **state)
{
	struct world *w = *state;
	struct run run = { .id = (char[]){ "ca1" },
			   .registry = (char[]){ "main" },
			   .attempt = 2,
			   .start_ms = 1000000 };
	struct spec spec;
	struct err err;

	run.build.timeout_s = 600;
	assert_works(specify_run(&spec, &run, &w->app, &err));
	assert_int_equal(spec.deadline_ms, 1000000 + 600000);
	assert_int_equal(spec.timeout_ms, 600000);
	assert_int_equal(spec.attempt, 2);
	assert_int_equal(spec.grace_ms, w->config.run.grace_s * 1000);
	spec_release(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(longest_credential_prefix_wins, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(credential_is_bound_to_host_and_path, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(token_of_the_build_wins, world_open, world_close),
		cmocka_unit_test_setup_teardown(name_and_password_are_told_apart, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(deadline_counts_from_the_start_of_the_run,
						world_open, world_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

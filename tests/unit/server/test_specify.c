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

/* "USER:TOKEN at URL" of each credential that a run of this context is told, a line each. */
static char *credentials_of(struct world *w, const char *context, const char *own)
{
	struct run run = { .id = (char[]){ "ca1" }, .registry = (char[]){ "main" }, .attempt = 1 };
	struct buf text = BUF_INIT;
	struct spec spec;
	struct err err;

	run.build.context = (char *)context;
	if (own)
		secret_set(&run.build.context_token, str_from(own));
	assert_works(specify_run(&spec, &run, &w->app, &err));
	assert_false(secret_is_set(&spec.build.context_token));
	buf_adds(&text, "");
	for (size_t i = 0; i < spec.git_credentials_len; i++) {
		const struct spec_git_credential *c = &spec.git_credentials[i];
		buf_addf(&text, "%s:%s at %s\n", c->username ? c->username : "",
			 secret_reveal(&c->token), c->url);
	}
	spec_release(&spec);
	secret_release(&run.build.context_token);
	return buf_detach(&text);
}

static void assert_credentials(struct world *w, const char *context, const char *own,
			       const char *wanted)
{
	char *told = credentials_of(w, context, own);

	assert_string_equal(told, wanted);
	free(told);
}

static void credential_is_bound_to_host_and_path(void **state)
{
	struct world *w = *state;

	add_credential(w, "https://git.test/acme", "acme");
	assert_credentials(w, "https://GIT.test/acme/app.git#main:web", NULL,
			   ":acme at https://git.test/acme\n");
	assert_credentials(w, "https://git.test/acme-evil/app.git", NULL, "");
	assert_credentials(w, "https://git.test.evil.test/acme/app.git", NULL, "");
	assert_credentials(w, "https://git.test:8443/acme/app.git", NULL, "");
	assert_credentials(w, "http://git.test/acme/app.git", NULL, "");
	assert_credentials(w, "https://git.test/ACME/app.git", NULL, "");
	assert_credentials(w, "https://evil.test/app.git#https://git.test/acme/", NULL, "");
}

static void a_run_is_told_no_credential_that_it_cannot_use(void **state)
{
	struct world *w = *state;

	add_credential(w, "https://git.test/", "host");
	add_credential(w, "https://git.test/acme/", "acme");
	add_credential(w, "https://git.test/other/", "other");
	add_credential(w, "https://lib.test/", "lib");
	w->config.git.credentials[3].submodules = true;
	assert_credentials(w, "https://git.test/acme/app.git", NULL,
			   ":host at https://git.test/\n:acme at https://git.test/acme/\n"
			   ":lib at https://lib.test/\n");
	assert_credentials(w, "https://else.test/app.git", NULL, ":lib at https://lib.test/\n");
	assert_credentials(w, "https://git.test/acme/app.tar.gz", NULL, "");
	assert_credentials(w, "https://git.test/acme/app.tar.gz?x", "own",
			   ":own at https://git.test/acme/app.tar.gz?x\n");
	assert_credentials(w, "source/abc.tar.gz", NULL, "");
	assert_credentials(w, "/dev/null", NULL, "");
	assert_credentials(w, NULL, NULL, "");
}

static void own_token_is_for_the_repository_alone(void **state)
{
	struct world *w = *state;

	assert_credentials(w, "https://git.test:443/acme/app.git?branch=main#:web", "own",
			   ":own at https://git.test:443/acme/app.git\n");
	assert_credentials(w, "HTTPS://git.test/acme/app.git#https://evil.test/", "own",
			   ":own at https://git.test/acme/app.git\n");
	assert_credentials(w, "https://org@dev.azure.com/org/p/_git/r", "own",
			   ":own at https://dev.azure.com/org/p/_git/r\n");
	assert_credentials(w, "github.com/acme/app#main", "own",
			   ":own at https://github.com/acme/app\n");
	add_credential(w, "https://git.test/acme/app.git", "configured");
	assert_credentials(w, "https://git.test/acme/app.git", "own",
			   ":own at https://git.test/acme/app.git\n"
			   ":configured at https://git.test/acme/app.git\n");
}

static void name_and_password_are_told_apart(void **state)
{
	struct world *w = *state;
	const char *url = "https://git.test/app.git";

	assert_credentials(w, url, "ada:open:sesame",
			   "ada:open:sesame at https://git.test/app.git\n");
	assert_credentials(w, url, ":sesame", ":sesame at https://git.test/app.git\n");
	add_credential(w, "https://git.test/", "bob:pass:word");
	assert_credentials(w, url, NULL, "bob:pass:word at https://git.test/\n");
	w->config.git.credentials[0].username = xstrdup("eve");
	assert_credentials(w, url, NULL, "eve:bob:pass:word at https://git.test/\n");
}

static void what_git_may_reach_is_passed_on(void **state)
{
	static const uint16_t ports[] = { 3000, 8443 };
	struct world *w = *state;
	struct run run = { .id = (char[]){ "ca1" }, .registry = (char[]){ "main" }, .attempt = 1 };
	struct config_git *git = &w->config.git;
	struct spec spec;
	struct err err;

	free(git->allow_ports); /* the default: an empty list */
	git->allow_ports = xmemdup(ports, sizeof ports);
	git->allow_ports_len = 2;
	strvec_push(&git->submodule_hosts, "lib.test");
	strvec_push(&git->credential_command, "/bin/ask");
	run.build.context = (char[]){ "https://git.test/app.git" };
	assert_works(specify_run(&spec, &run, &w->app, &err));
	assert_int_equal(spec.allow_ports_len, 2);
	assert_int_equal(spec.allow_ports[1], 8443);
	assert_string_equal(spec.submodule_hosts.items[0], "lib.test");
	assert_string_equal(spec.git_credential_command.items[0], "/bin/ask");
	spec_release(&spec);

	/* Only a git server is what it can be asked about. */
	run.build.context = (char[]){ "https://git.test/app.tar.gz" };
	assert_works(specify_run(&spec, &run, &w->app, &err));
	assert_int_equal(spec.git_credential_command.len, 0);
	spec_release(&spec);
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
		cmocka_unit_test_setup_teardown(credential_is_bound_to_host_and_path, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(a_run_is_told_no_credential_that_it_cannot_use,
						world_open, world_close),
		cmocka_unit_test_setup_teardown(own_token_is_for_the_repository_alone, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(what_git_may_reach_is_passed_on, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(name_and_password_are_told_apart, world_open,
						world_close),
		cmocka_unit_test_setup_teardown(deadline_counts_from_the_start_of_the_run,
						world_open, world_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

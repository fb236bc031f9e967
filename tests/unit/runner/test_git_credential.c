/* What is shown to which git server, and the conversation with the operator's command. */
#include "tests/unit/unit.h"

#include <fcntl.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_credential.h"
#include "runner/exec/git_credential_command.h"
#include "runner/exec/runlog.h"

static struct err err;

struct fixture {
	char dir[64];
	char *log, *program;
	struct exec x;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	snprintf(f->dir, sizeof f->dir, "/tmp/slipway-credential-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->log = fs_join(f->dir, "log");
	f->program = fs_join(f->dir, "ask");
	f->x = (struct exec){
		.spec = { .grace_ms = 400, .timeout_ms = 60000 },
		.stop_fd = -1,
		.deadline_ms = clock_monotonic_ms() + 60000,
	};
	if (runlog_open(&f->x.log, f->log, 1 << 20, 0, NULL) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	runlog_close(f->x.log);
	spec_release(&f->x.spec);
	fs_remove_tree(f->dir, NULL);
	free(f->log);
	free(f->program);
	free(f);
	return 0;
}

static void give(struct fixture *f, const char *url, const char *username, const char *token)
{
	struct spec *spec = &f->x.spec;

	spec->git_credentials = xreallocarray(spec->git_credentials, spec->git_credentials_len + 1,
					      sizeof *spec->git_credentials);
	struct spec_git_credential *c = &spec->git_credentials[spec->git_credentials_len++];
	*c = (struct spec_git_credential){ .url = xstrdup(url), .username = xstrdup(username) };
	secret_set(&c->token, str_from(token));
}

/* From now on a shell script is the command. Its folder is $1. */
static void command(struct fixture *f, const char *script)
{
	cleanup_free char *text = xasprintf("#!/bin/sh\n%s\n", script);
	cleanup_fd int fd = open(f->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, str_from(text), NULL), 0);
	strvec_release(&f->x.spec.git_credential_command);
	strvec_push(&f->x.spec.git_credential_command, f->program);
	strvec_push(&f->x.spec.git_credential_command, f->dir);
}

/* "USER:TOKEN" for a URL, ":" for none. */
static void assert_found(struct fixture *f, const char *url, const char *wanted)
{
	struct git_credential c;

	assert_works(git_credential_find(&c, &f->x, url, &err));
	cleanup_free char *got =
		xasprintf("%s:%s", c.username ? c.username : "", secret_reveal(&c.token));
	if (strcmp(got, wanted) != 0)
		fail_msg("%s: %s, want %s", url, got, wanted);
	git_credential_release(&c);
}

static void assert_refused(struct fixture *f, const char *url, const char *word, const char *part)
{
	struct git_credential c;

	assert_fails(git_credential_find(&c, &f->x, url, &err), word);
	assert_has(err.msg, part);
}

static char *content(struct fixture *f, const char *name)
{
	struct buf text = BUF_INIT;
	cleanup_free char *path = fs_join(f->dir, name);

	runlog_flush(f->x.log);
	assert_works(fs_read(&text, path, &err));
	return buf_detach(&text);
}

static void narrowest_scope_wins_and_the_first_of_equal_ones(void **state)
{
	struct fixture *f = *state;

	give(f, "https://git.test/acme/app.git", NULL, "own");
	give(f, "https://git.test/", "host-user", "host");
	give(f, "https://git.test/acme", NULL, "acme");
	give(f, "https://git.test/acme/app", NULL, "later");
	assert_found(f, "https://git.test/acme/app.git", "slipway:own");
	assert_found(f, "https://GIT.test:443/acme/app/", "slipway:own");
	assert_found(f, "https://git.test/acme/lib.git", "slipway:acme");
	assert_found(f, "https://git.test/acme-evil/app.git", "host-user:host");
	assert_found(f, "https://git.test:8443/acme/app.git", ":");
	assert_found(f, "https://evil.test/acme/app.git", ":");
}

static void token_without_a_user_gets_the_one_of_its_server(void **state)
{
	static const char *const rows[][2] = {
		{ "https://github.com/a/b.git", "x-access-token:t" },
		{ "https://GitHub.com:443/a/b.git", "x-access-token:t" },
		{ "https://gitlab.com/a/b.git", "oauth2:t" },
		{ "https://bitbucket.org/a/b.git", "x-token-auth:t" },
		{ "https://dev.azure.com/org/p/_git/r", "slipway:t" },
		{ "https://github.com.evil.test/a/b.git", "slipway:t" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		give(f, rows[i][0], NULL, "t");
		assert_found(f, rows[i][0], rows[i][1]);
	}
}

static void question_is_that_of_git(void **state)
{
	static const char *const rows[][2] = {
		{ "https://git.test/acme/app.git",
		  "protocol=https\nhost=git.test\npath=acme/app.git\n\n" },
		{ "http://git.test:3000/My%20App/",
		  "protocol=http\nhost=git.test:3000\npath=My App\n\n" },
		{ "https://[::1]:8443/a", "protocol=https\nhost=[::1]:8443\npath=a\n\n" },
		{ "https://git.test/", "protocol=https\nhost=git.test\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_buf struct buf text = BUF_INIT;
		assert_works(git_credential_question(&text, rows[i][0], &err));
		assert_string_equal(text.ptr, rows[i][1]);
	}
}

static void nothing_is_asked_with_a_line_break_in_the_url(void **state)
{
	static const char *const rows[] = {
		"https://git.test/a%0ahost=evil.test",
		"https://git.test/a%0A",
		"https://git.test/a%0d",
		"https://git.test/a%00b",
		"https://git.test/a%7f",
		"https://git.test/a\nb",
		"https://git\n.test/a",
		"https://git.test/a%zz",
		"https://git.test/a%",
		"ssh://git@git.test/a",
		"git@git.test:a",
		"/srv/git/a",
	};
	struct fixture *f = *state;

	command(f, "touch $1/asked; echo password=secret");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(f, rows[i], "url_invalid", "no credential is asked for");
	cleanup_free char *asked = fs_join(f->dir, "asked");
	assert_int_equal(access(asked, F_OK), -1);
}

static void answers_are_read_strictly(void **state)
{
	static const struct {
		struct str text;
		const char *wanted; /* "USER:TOKEN", or a part of the message behind '!' */
	} rows[] = {
		{ STR("username=ada\npassword=open=sesame\n"), "ada:open=sesame" },
		{ STR("username=ada\npassword=open sesame"), "ada:open sesame" },
		{ STR("protocol=https\nhost=evil.test\nwwwauth[]=x\npassword=p\nusername=ada\n\n"),
		  "ada:p" },
		{ STR("password=one\npassword=two\n"), ":two" },
		{ STR("password=p\n\nnonsense after the end\n"), ":p" },
		{ STR("username=\npassword=p\n"), ":p" },
		{ STR(""), ":" },
		{ STR("\n"), ":" },
		{ STR("quit=1\n"), ":" },
		{ STR("quit=true\npassword=p\n"), ":" },
		{ STR("quit=0\npassword=p\n"), ":p" },
		{ STR("username=ada\n"), ":" },
		{ STR("password=\n"), ":" },
		{ STR("fatal: no such account\n"), "!a line without '='" },
		{ STR("password=p\nnonsense\n"), "!a line without '='" },
		{ STR("password=p\r\n"), "!a control character" },
		{ STR("password=p\0q\n"), "!a control character" },
		{ STR("username=a:b\npassword=p\n"), "!a ':' in the user name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_credential c = { 0 };
		int rc = git_credential_answer(&c, rows[i].text, &err);
		cleanup_free char *got = rc < 0 ? xasprintf("!%s", strstr(err.msg, "a "))
						: xasprintf("%s:%s", c.username ? c.username : "",
							    secret_reveal(&c.token));
		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("row %zu: %s, want %s", i, got, rows[i].wanted);
		git_credential_release(&c);
	}
}

static void command_is_asked_for_what_is_not_configured(void **state)
{
	struct fixture *f = *state;

	give(f, "https://git.test/acme/", NULL, "configured");
	command(f, "cat >>$1/asked; echo username=ada; echo password=said");
	assert_found(f, "https://git.test/acme/app.git", "slipway:configured");
	assert_found(f, "https://git.test/lib", "ada:said");
	assert_found(f, "https://git.test/lib", "ada:said");
	cleanup_free char *once = content(f, "asked");
	assert_string_equal(once, "protocol=https\nhost=git.test\npath=lib\n\n");

	/* An answer is for its URL, and not for what lies below. */
	command(f, "echo password=other");
	assert_found(f, "https://git.test/lib/x.git", "slipway:other");
	assert_found(f, "https://git.test/lib", "ada:said");
}

static void no_answer_is_no_credential_and_is_remembered_too(void **state)
{
	struct fixture *f = *state;

	command(f, "echo asked >>$1/asked");
	assert_found(f, "https://git.test/open.git", ":");
	assert_found(f, "https://git.test/open.git", ":");
	cleanup_free char *once = content(f, "asked");
	assert_string_equal(once, "asked\n");
}

static void what_the_command_says_is_masked_in_the_log(void **state)
{
	struct fixture *f = *state;

	command(f, "echo this is hush-hush >&2; echo password=hush-hush");
	assert_found(f, "https://git.test/a.git", "slipway:hush-hush");
	runlog_say(f->x.log, "and again: hush-hush");
	cleanup_free char *log = content(f, "log");
	assert_has(log, "this is ***");
	assert_has(log, "and again: ***");
	assert_null(strstr(log, "hush"));
}

static void failure_is_told_without_what_was_said(void **state)
{
	struct fixture *f = *state;
	const char *url = "https://git.test/a.git";

	command(f, "echo nonsense; echo password=hush-hush; echo is it hush-hush? >&2");
	assert_refused(f, url, "git_credential", "a line without '='");
	cleanup_free char *log = content(f, "log");
	assert_has(log, "is it ***?");
	assert_null(strstr(err.msg, "hush"));

	command(f, "echo password=hush-hush; exit 3");
	assert_refused(f, url, "git_credential", "exit code 3");
	assert_has(err.msg, url);
	command(f, "kill -9 $$");
	assert_refused(f, url, "git_credential", "signal 9");
	command(f, "head -c 20000 /dev/zero");
	assert_refused(f, url, "git_credential", "more than 8192 bytes");
	unlink(f->program);
	assert_refused(f, url, "git_credential", "cannot start");
}

static void end_of_the_run_ends_the_command(void **state)
{
	struct fixture *f = *state;

	command(f, "exec sleep 60");
	f->x.deadline_ms = clock_monotonic_ms() + 100;
	assert_refused(f, "https://git.test/a.git", "timeout", "");
}

static void command_sees_path_and_home_alone(void **state)
{
	struct fixture *f = *state;

	setenv("SLIPWAY_CANARY", "secret", 1);
	command(f, "tr '\\0' '\\n' </proc/$$/environ | sed 's/=.*//' | sort >$1/names");
	assert_found(f, "https://git.test/a.git", ":");
	cleanup_free char *names = content(f, "names");
	assert_string_equal(names, getenv("HOME") ? "HOME\nPATH\n" : "PATH\n");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(narrowest_scope_wins_and_the_first_of_equal_ones),
		IN_FOLDER(token_without_a_user_gets_the_one_of_its_server),
		cmocka_unit_test(question_is_that_of_git),
		IN_FOLDER(nothing_is_asked_with_a_line_break_in_the_url),
		cmocka_unit_test(answers_are_read_strictly),
		IN_FOLDER(command_is_asked_for_what_is_not_configured),
		IN_FOLDER(no_answer_is_no_credential_and_is_remembered_too),
		IN_FOLDER(what_the_command_says_is_masked_in_the_log),
		IN_FOLDER(failure_is_told_without_what_was_said),
		IN_FOLDER(end_of_the_run_ends_the_command),
		IN_FOLDER(command_sees_path_and_home_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* slipway task create: the options of `az acr task create`. */
#include "cli/build_options.h"
#include "cli/client.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "common/secret.h"
#include "context/context.h"
#include "context/url.h"

struct task_options {
	struct build_options build;
	const char *name, *context, *token_source, *status;
	struct secret token;
	bool commit_trigger, pull_request_trigger;
};

/* The branch that the trigger follows: the context's, master when it names none, as az has it. */
static int trigger_branch(char **branch, const char *context, struct err *err)
{
	struct context parsed = { 0 };

	if (context_parse(&parsed, str_from(context), err) < 0)
		return -1;
	int rc = 0;
	if (parsed.kind != CONTEXT_GIT)
		rc = err_set(
			err, ERR_INVALID, "context_kind",
			"a task follows a git repository: '%.100s' is none (want https://…/name.git#branch:folder)",
			url_shown(str_from(context)).ptr);
	else
		*branch = xstrdup(parsed.ref && *parsed.ref ? parsed.ref : "master");
	context_release(&parsed);
	return rc;
}

static json_t *trigger_of(const struct task_options *o, struct err *err)
{
	char *branch = NULL;

	if (!o->commit_trigger && !o->pull_request_trigger)
		return json_object();
	if (trigger_branch(&branch, o->context, err) < 0)
		return NULL;
	json_t *events = json_array();
	if (o->commit_trigger)
		json_array_append_new(events, json_string("commit"));
	if (o->pull_request_trigger)
		json_array_append_new(events, json_string("pullrequest"));
	json_t *repository =
		json_pack("{s:s,s:s,s:s}", "sourceControlType",
			  strstr(o->context, "github.com") ? "Github" : "VisualStudioTeamService",
			  "repositoryUrl", o->context, "branch", branch);
	if (secret_is_set(&o->token))
		json_object_set_new(repository, "sourceControlAuthProperties",
				    json_pack("{s:s,s:s,s:s}", "tokenType", "PAT", "token",
					      secret_reveal(&o->token), "scope", "repo"));
	free(branch);
	return json_pack("{s:[{s:s,s:s,s:o,s:o}]}", "sourceTriggers", "name",
			 "defaultSourceTriggerName", "status", "Enabled", "sourceTriggerEvents",
			 events, "sourceRepository", repository);
}

static json_t *not_utf8(struct err *err)
{
	err_set(err, ERR_INVALID, "usage",
		"the context, the Dockerfile's name, the token and the status must be UTF-8");
	return NULL;
}

static json_t *resource_of(const struct task_options *o, struct err *err)
{
	cleanup_json json_t *step =
		json_pack("{s:s,s:s,s:s}", "type", "Docker", "contextPath", o->context,
			  "dockerFilePath",
			  o->build.dockerfile ? o->build.dockerfile : "Dockerfile");
	cleanup_json json_t *platform = build_options_platform(&o->build, err);
	cleanup_json json_t *trigger = NULL;

	if (!step || !str_is_utf8(str_from(secret_reveal(&o->token))))
		return not_utf8(err);
	if (!platform || build_options_put(&o->build, step, err) < 0)
		return NULL;
	if (secret_is_set(&o->token))
		json_put_string(step, "contextAccessToken", secret_reveal(&o->token));
	trigger = trigger_of(o, err);
	if (!trigger)
		return NULL;
	json_t *properties = json_pack("{s:s,s:O,s:O,s:O}", "status", o->status, "platform",
				       platform, "step", step, "trigger", trigger);
	if (!properties)
		return not_utf8(err);
	if (o->build.timeout_s >= 0)
		json_object_set_new(properties, "timeout", json_integer(o->build.timeout_s));
	return json_pack("{s:s,s:o}", "location", "local", "properties", properties);
}

static int check(const struct task_options *o)
{
	if (!o->name || !o->context) {
		cli_say("say what the task is called and what it builds: -n NAME -c CONTEXT");
		return EXIT_USAGE;
	}
	if (o->build.images.len == 0 && !o->build.no_push) {
		cli_say("say what the image is called: -t IMAGE (or --no-push)");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int create(struct cli *cli, struct task_options *o)
{
	struct err err = { 0 };
	if (o->token_source && secret_load(&o->token, o->token_source, true, &err) < 0)
		return cli_fail(&err);
	cleanup_json json_t *task = NULL, *resource = resource_of(o, &err);
	cleanup_buf struct buf name = BUF_INIT;

	if (!resource)
		return cli_fail(&err);
	percent_encode(&name, str_from(o->name));
	cleanup_free char *path = cli_path(cli, &err, "/tasks/%s", buf_str(&name).ptr);
	if (!path || client_json(cli_client(cli), "PUT", path, resource, &task, &err) < 0)
		return cli_fail(&err);
	return output_value(cli, task, &view_tasks);
}

int verb_task_create(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	struct task_options o = { .build = BUILD_OPTIONS_DEFAULT,
				  .commit_trigger = true,
				  .status = "Enabled" };
	struct option_def own[BUILD_OPTION_ROWS + 7] = { 0 };
	int exit;

	build_options_rows(&o.build, own, "arg", "secret-arg");
	const struct option_def more[] = {
		{ 'n', "name", OPTION_TEXT, &o.name, "NAME",
		  "name of the task: 1 to 50 letters, digits, - and _" },
		{ 'c', "context", OPTION_TEXT, &o.context, "CONTEXT",
		  "git context: URL#branch:folder" },
		{ 0, "git-access-token", OPTION_TEXT, &o.token_source, "TOKEN",
		  "token for a private repository ('file:PATH' or 'env:NAME' keep it out of the process list)" },
		{ 0, "commit-trigger-enabled", OPTION_BOOL, &o.commit_trigger, "BOOL",
		  "build pushed commits (true)" },
		{ 0, "pull-request-trigger-enabled", OPTION_BOOL, &o.pull_request_trigger, "BOOL",
		  "build pull requests (false)" },
		{ 0, "status", OPTION_TEXT, &o.status, "STATUS", "Enabled or Disabled" },
		{ 0 },
	};
	memcpy(own + BUILD_OPTION_ROWS, more, sizeof more);
	if (cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit)) {
		exit = check(&o);
		if (exit == EXIT_OK)
			exit = create(cli, &o);
	}
	build_options_release(&o.build);
	secret_release(&o.token);
	return exit;
}

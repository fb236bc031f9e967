/* slipway build */
#include <stdio.h>
#include <sys/stat.h>

#include "cli/build_options.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/record.h"
#include "cli/upload.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/scope.h"
#include "context/context.h"

struct build_call {
	struct build_options options;
	bool no_wait, no_logs;
	const char *context;
};

/* A path that exists wins, as in az and docker: github.com/acme may be a folder here. */
static bool is_local(const char *text, const struct context *c)
{
	struct stat st;

	return c->kind == CONTEXT_LOCAL ||
	       (c->kind != CONTEXT_NONE && stat(text, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Where the source is and what the Dockerfile is called there: a folder is sent first. */
static int locate(struct uploaded *out, struct cli *cli, const struct build_call *b,
		  struct err *err)
{
	struct context c = { 0 };

	if (context_parse(&c, str_from(b->context), err) < 0)
		return -1;
	bool local = is_local(b->context, &c);
	enum context_kind kind = c.kind;
	context_release(&c);
	if (local)
		return upload_folder(out, cli, b->context, b->options.dockerfile, err);
	if (kind == CONTEXT_NONE)
		return err_set(err, ERR_INVALID, "context_missing",
			       "a build needs a context: a folder, or URL#ref:folder");
	*out = (struct uploaded){
		.location = xstrdup(b->context),
		.dockerfile = xstrdup(b->options.dockerfile ? b->options.dockerfile : "Dockerfile"),
	};
	return 0;
}

static json_t *request_of(struct cli *cli, const struct build_call *b, struct err *err)
{
	struct uploaded source = { 0 };
	json_t *platform = build_options_platform(&b->options, err);

	if (!platform || locate(&source, cli, b, err) < 0) {
		json_decref(platform);
		return NULL;
	}
	json_t *request = json_pack("{s:s,s:s,s:s,s:o}", "type", "DockerBuildRequest",
				    "sourceLocation", source.location, "dockerFilePath",
				    source.dockerfile, "platform", platform);
	if (b->options.timeout_s >= 0)
		json_object_set_new(request, "timeout", json_integer(b->options.timeout_s));
	free(source.location);
	free(source.dockerfile);
	if (!request) {
		err_set(err, ERR_INVALID, "usage",
			"the context and the Dockerfile's name must be UTF-8");
	} else if (build_options_put(&b->options, request, err) < 0) {
		json_decref(request);
		return NULL;
	}
	return request;
}

/* The last lines of a build: what was pushed. */
static void print_images(const json_t *run)
{
	cleanup_buf struct buf text = BUF_INIT;
	size_t i;
	json_t *image;

	json_array_foreach (json_object_get(json_object_get(run, "properties"), "outputImages"), i,
			    image) {
		record_add_image(&text, image);
		buf_addc(&text, '\n');
	}
	output_text(&text);
}

static int wait_for(struct cli *cli, const struct build_call *b, const char *run_id)
{
	bool data = output_is_data(cli);
	cleanup_json json_t *run = NULL;
	struct follow_opts opts = { .live = true,
				    .cancel = true,
				    .out = b->no_logs ? NULL
					   : data     ? stderr
						      : stdout };
	int code = follow_run(cli, run_id, &opts, &run);

	if (!run)
		return code;
	if (!data) {
		print_images(run);
		return code;
	}
	int printed = output_value(cli, run, &view_runs);
	return code == EXIT_OK ? printed : code;
}

static int build(struct cli *cli, const struct build_call *b)
{
	struct err err = { 0 };
	cleanup_json json_t *run = NULL, *request = request_of(cli, b, &err);

	if (!request)
		return cli_fail(&err);
	cleanup_free char *path = cli_path(cli, &err, "/scheduleRun");
	if (!path || client_json(cli_client(cli), "POST", path, request, &run, &err) < 0)
		return cli_fail(&err);
	const char *run_id = json_string_value(json_object_get(run, "name"));
	if (!run_id)
		return EXIT_SERVICE;
	fprintf(stderr, "Queued a build with ID: %s\n", run_id);
	if (b->no_wait)
		return output_value(cli, run, &view_runs);
	return wait_for(cli, b, run_id);
}

int verb_build(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	struct build_call b = { .options = BUILD_OPTIONS_DEFAULT };
	struct option_def own[BUILD_OPTION_ROWS + 3] = { 0 };
	int exit;

	build_options_rows(&b.options, own, "build-arg", "secret-build-arg");
	own[BUILD_OPTION_ROWS] = (struct option_def){
		0,          "no-wait", OPTION_FLAG,
		&b.no_wait, NULL,      "print the run as it was queued, and go"
	};
	own[BUILD_OPTION_ROWS + 1] =
		(struct option_def){ 0,          "no-logs", OPTION_FLAG,
				     &b.no_logs, NULL,      "wait without showing the log" };
	if (cli_parse(cli, own, argc, argv, &operands, 1, 1, &exit)) {
		b.context = operands.items[0];
		if (b.options.images.len == 0 && !b.options.no_push)
			cli_say("without -t nothing is pushed");
		exit = build(cli, &b);
	}
	build_options_release(&b.options);
	return exit;
}

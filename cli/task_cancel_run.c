/* slipway task cancel-run: by ids, or all that a selection names. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/duration.h"
#include "cli/filter_text.h"
#include "cli/follow.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/clock.h"
#include "common/scope.h"

struct selection {
	struct strvec ids;
	bool all, dry_run, wait;
	const char *task, *status, *branch, *older_than;
};

static int selection_filter(struct buf *filter, const struct selection *s, struct err *err)
{
	char when[CLOCK_TEXT_BYTES];
	int64_t age_ms = 0;

	if (filter_text_status(filter, s->status, err) < 0)
		return -1;
	filter_text_add(filter, "TaskName eq ", s->task);
	filter_text_add(filter, "BranchName eq ", s->branch);
	if (s->older_than) {
		if (duration_parse(&age_ms, str_from(s->older_than)) < 0)
			return err_set(err, ERR_INVALID, "usage",
				       "--older-than wants a duration such as 90s, 15m, 2h or 1d, "
				       "not '%.40s'",
				       s->older_than);
		buf_addf(filter, "%sCreateTime lt %s", filter->len ? " and " : "",
			 clock_format(when, clock_now_ms() - age_ms));
	}
	return 0;
}

static json_t *request_of(const struct selection *s, struct err *err)
{
	cleanup_buf struct buf filter = BUF_INIT;

	if (s->ids.len) {
		json_t *ids = json_array();
		STRVEC_FOREACH (id, &s->ids)
			json_array_append_new(ids, json_string(*id));
		return json_pack("{s:o}", "runIds", ids);
	}
	if (selection_filter(&filter, s, err) < 0)
		return NULL;
	return json_pack("{s:s,s:b}", "filter", buf_str(&filter).ptr, "dryRun", s->dry_run);
}

static int check(const struct selection *s)
{
	bool selects = s->task || s->status || s->branch || s->older_than || s->dry_run;

	if (s->ids.len && (s->all || selects)) {
		cli_say("either --run-id, or --all with a selection");
		return EXIT_USAGE;
	}
	if (!s->ids.len && !s->all) {
		cli_say("say which runs: --run-id ID, or --all (with -n, --run-status, --branch, --older-than)");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

/* One id: the exit code tells what became of it. Several: 0 unless something is wrong with the
 * call. */
static int exit_of(const json_t *results, size_t asked)
{
	const char *outcome =
		json_string_value(json_object_get(json_array_get(results, 0), "outcome"));

	if (asked != 1 || !outcome)
		return EXIT_OK;
	if (strcmp(outcome, "NotFound") == 0)
		return EXIT_NOTFOUND;
	return strcmp(outcome, "AlreadyEnded") == 0 ? EXIT_CONFLICT : EXIT_OK;
}

/* The exit code: what the runs end as is no failure, not to learn of it is one. */
static int wait_for_all(struct cli *cli, const json_t *results)
{
	size_t i;
	json_t *result;
	int code = EXIT_OK;

	json_array_foreach ((json_t *)results, i, result) {
		const char *outcome = json_string_value(json_object_get(result, "outcome"));
		const char *id = json_string_value(json_object_get(result, "runId"));
		json_t *run = NULL;
		if (!id || !outcome || strcmp(outcome, "Accepted") != 0)
			continue;
		int ended = follow_run(cli, id, &(struct follow_opts){ .live = true }, &run);
		json_decref(run);
		code = ended > EXIT_RUN && code == EXIT_OK ? ended : code;
	}
	return code;
}

static int cancel(struct cli *cli, const struct selection *s)
{
	struct err err = { 0 };
	cleanup_json json_t *answer = NULL, *request = request_of(s, &err);

	if (!request)
		return cli_fail(&err);
	cleanup_free char *path = cli_path(cli, &err, "/runs/cancel");
	if (!path || client_json(cli_client(cli), "POST", path, request, &answer, &err) < 0)
		return cli_fail(&err);
	const json_t *results = json_object_get(answer, "value");
	int code = output_value(cli, results, &view_cancels);
	int waited = s->wait ? wait_for_all(cli, results) : EXIT_OK;
	if (code != EXIT_OK || waited != EXIT_OK)
		return code != EXIT_OK ? code : waited;
	return exit_of(results, s->ids.len);
}

int verb_task_cancel_run(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	struct selection s = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "run-id", OPTION_LIST, &s.ids, "ID", "a run; may be repeated" },
		{ 0, "all", OPTION_FLAG, &s.all, NULL, "all that are Queued, Started or Running" },
		{ 'n', "name", OPTION_TEXT, &s.task, "TASK", "of --all: those of this task" },
		{ 0, "run-status", OPTION_TEXT, &s.status, "STATUS",
		  "of --all: those in this status" },
		{ 0, "branch", OPTION_TEXT, &s.branch, "BRANCH", "of --all: those of this branch" },
		{ 0, "older-than", OPTION_TEXT, &s.older_than, "DURATION",
		  "of --all: created before 90s, 15m, 2h, 1d" },
		{ 0, "dry-run", OPTION_FLAG, &s.dry_run, NULL,
		  "of --all: only say what would be canceled" },
		{ 0, "wait", OPTION_FLAG, &s.wait, NULL, "wait for the end of the runs" },
		{ 0 },
	};

	if (cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit)) {
		exit = check(&s);
		if (exit == EXIT_OK)
			exit = cancel(cli, &s);
	}
	strvec_release(&s.ids);
	return exit;
}

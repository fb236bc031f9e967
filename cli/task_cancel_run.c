/* slipway task cancel-run: by ids, or all that a selection names. */
#include <stdio.h>

#include "cli/client.h"
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

/* "90s", "15m", "2h", "1d" in milliseconds. */
static int parse_duration(const char *text, int64_t *out_ms, struct err *err)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	struct str all = str_from(text);
	uint64_t number;

	for (size_t i = 0; all.len > 1 && i < ARRAY_LEN(units); i++) {
		if (all.ptr[all.len - 1] == units[i].unit &&
		    str_to_u64(str_slice(all, 0, all.len - 1), 1000000, &number)) {
			*out_ms = (int64_t)number * units[i].ms;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, "usage",
		       "--older-than wants a duration such as 90s, 15m, 2h or 1d, not '%.40s'",
		       text);
}

static int selection_filter(struct buf *filter, const struct selection *s, struct err *err)
{
	char when[CLOCK_TEXT_BYTES];
	int64_t age_ms = 0;

	if (filter_text_status(filter, s->status, err) < 0)
		return -1;
	filter_text_add(filter, "TaskName eq ", s->task);
	filter_text_add(filter, "Branch eq ", s->branch);
	if (s->older_than) {
		if (parse_duration(s->older_than, &age_ms, err) < 0)
			return -1;
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

static void wait_for_all(struct cli *cli, const json_t *results)
{
	size_t i;
	json_t *result;

	json_array_foreach ((json_t *)results, i, result) {
		const char *outcome = json_string_value(json_object_get(result, "outcome"));
		const char *id = json_string_value(json_object_get(result, "runId"));
		json_t *run = NULL;
		if (!id || !outcome || strcmp(outcome, "Accepted") != 0)
			continue;
		follow_run(cli, id, &(struct follow_opts){ .live = true }, &run);
		json_decref(run);
	}
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
	if (s->wait)
		wait_for_all(cli, results);
	return code == EXIT_OK ? exit_of(results, s->ids.len) : code;
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

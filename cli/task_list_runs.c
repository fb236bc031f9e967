/* slipway task list-runs */
#include "cli/client.h"
#include "cli/filter_text.h"
#include "cli/runs.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/scope.h"

enum { TOP_DEFAULT = 15 }; /* as in az */

int verb_task_list_runs(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_buf struct buf filter = BUF_INIT;
	const char *task = NULL, *status = NULL, *image = NULL;
	int64_t top = -1;
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 'n', "name", OPTION_TEXT, &task, "TASK", "runs of this task" },
		{ 0, "run-status", OPTION_TEXT, &status, "STATUS",
		  "Queued, Started, Running, Succeeded, Failed, Canceled, Error or Timeout" },
		{ 0, "image", OPTION_TEXT, &image, "IMAGE", "runs that pushed repository@digest" },
		{ 0, "top", OPTION_NUMBER, &top, "N", "at most so many (15; with -q all)" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit))
		return exit;
	if (filter_text_status(&filter, status, &err) < 0)
		return cli_fail(&err);
	filter_text_add(&filter, "TaskName eq ", task);
	filter_text_contains(&filter, "OutputImageManifests", image);
	if (top < 0)
		top = cli->quiet ? 0 : TOP_DEFAULT;
	cleanup_json json_t *runs = runs_list(cli, buf_str(&filter).ptr, top, &err);
	return runs ? output_value(cli, runs, &view_runs) : cli_fail(&err);
}

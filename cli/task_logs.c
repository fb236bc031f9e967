/* slipway task logs */
#include "cli/filter_text.h"
#include "cli/follow.h"
#include "cli/runs.h"
#include "cli/verbs.h"
#include "common/scope.h"
#include "model/run.h"

/* The last run of the task, or of all. */
static char *last_run(struct cli *cli, const char *task, struct err *err)
{
	cleanup_buf struct buf filter = BUF_INIT;

	filter_text_add(&filter, "TaskName eq ", task);
	cleanup_json json_t *runs = runs_list(cli, buf_str(&filter).ptr, 1, err);
	if (!runs)
		return NULL;
	const char *id = json_string_value(json_object_get(json_array_get(runs, 0), "name"));
	if (!id)
		err_set(err, ERR_NOTFOUND, "not_found",
			task ? "task '%.60s' has no run yet" : "there is no run yet%s",
			task ? task : "");
	return xstrdup(id);
}

int verb_task_logs(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	const char *run_id = NULL, *task = NULL;
	bool no_follow = false;
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "run-id", OPTION_TEXT, &run_id, "ID", "the run" },
		{ 'n', "name", OPTION_TEXT, &task, "TASK", "the last run of this task" },
		{ 0, "no-follow", OPTION_FLAG, &no_follow, NULL,
		  "what is there now, without waiting for more" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit))
		return exit;
	if (run_id && !run_id_is_valid(str_from(run_id))) {
		cli_say("'%.60s' is no run id (they look like ca1)", run_id);
		return EXIT_USAGE;
	}
	cleanup_free char *id = run_id ? xstrdup(run_id) : last_run(cli, task, &err);
	if (!id)
		return cli_fail(&err);
	return follow_log(cli, id, &(struct follow_opts){ .live = !no_follow, .out = stdout });
}

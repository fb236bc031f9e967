/* slipway task show-run */
#include "cli/client.h"
#include "cli/record.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/crypto.h"
#include "common/scope.h"

int verb_task_show_run(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *run = NULL;
	cleanup_buf struct buf id = BUF_INIT;
	const char *run_id = NULL;
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "run-id", OPTION_TEXT, &run_id, "ID", "the run" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit))
		return exit;
	if (!run_id) {
		cli_say("say which run: --run-id ID");
		return EXIT_USAGE;
	}
	percent_encode(&id, str_from(run_id));
	cleanup_free char *path = cli_path(cli, &err, "/runs/%s", buf_str(&id).ptr);
	if (!path || client_json(cli_client(cli), "GET", path, NULL, &run, &err) < 0)
		return cli_fail(&err);
	if (cli->format == OUTPUT_TABLE && !output_is_data(cli)) {
		cleanup_json json_t *flat = output_lift(run);
		cleanup_buf struct buf text = BUF_INIT;
		record_add_run(&text, flat);
		output_text(&text);
		return EXIT_OK;
	}
	return output_value(cli, run, &view_runs);
}

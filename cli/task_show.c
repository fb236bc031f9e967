/* slipway task show | list | delete */
#include "cli/client.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/crypto.h"
#include "common/scope.h"

/* "-n NAME" alone; NULL with *exit when the words are wrong. */
static const char *parse_name(struct cli *cli, int argc, char **argv, int *exit)
{
	cleanup_strvec struct strvec operands = { 0 };
	const char *name = NULL;
	const struct option_def own[] = {
		{ 'n', "name", OPTION_TEXT, &name, "TASK", "name of the task" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, exit))
		return NULL;
	if (!name)
		cli_say("say which task: -n TASK");
	return name;
}

static char *task_path(struct cli *cli, const char *name, struct err *err)
{
	cleanup_buf struct buf encoded = BUF_INIT;
	percent_encode(&encoded, str_from(name));
	return cli_path(cli, err, "/tasks/%s", buf_str(&encoded).ptr);
}

int verb_task_show(struct cli *cli, int argc, char **argv)
{
	cleanup_json json_t *task = NULL;
	struct err err = { 0 };
	int exit;
	const char *name = parse_name(cli, argc, argv, &exit);

	if (!name)
		return exit;
	cleanup_free char *path = task_path(cli, name, &err);
	if (!path || client_json(cli_client(cli), "GET", path, NULL, &task, &err) < 0)
		return cli_fail(&err);
	return output_value(cli, task, &view_tasks);
}

int verb_task_list(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *list = NULL;
	struct err err = { 0 };
	int exit;

	if (!cli_parse(cli, NULL, argc, argv, &operands, 0, 0, &exit))
		return exit;
	cleanup_free char *path = cli_path(cli, &err, "/tasks");
	if (!path || client_json(cli_client(cli), "GET", path, NULL, &list, &err) < 0)
		return cli_fail(&err);
	return output_value(cli, json_object_get(list, "value"), &view_tasks);
}

int verb_task_delete(struct cli *cli, int argc, char **argv)
{
	struct err err = { 0 };
	int exit;
	const char *name = parse_name(cli, argc, argv, &exit);

	if (!name)
		return exit;
	cleanup_free char *path = task_path(cli, name, &err);
	if (!path || client_json(cli_client(cli), "DELETE", path, NULL, NULL, &err) < 0)
		return cli_fail(&err);
	if (client_status(cli_client(cli)) == 204) {
		cli_say("there is no task '%.60s'", name);
		return EXIT_NOTFOUND;
	}
	return EXIT_OK;
}

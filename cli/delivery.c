/* slipway delivery list | show */
#include "cli/client.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/crypto.h"
#include "common/scope.h"

int verb_delivery_list(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *list = NULL;
	int64_t top = 15;
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "top", OPTION_NUMBER, &top, "N", "at most so many (15)" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, &exit))
		return exit;
	cleanup_free char *path = xasprintf("/v1/deliveries?$top=%lld", (long long)top);
	if (client_json(cli_client(cli), "GET", path, NULL, &list, &err) < 0)
		return cli_fail(&err);
	return output_value(cli, json_object_get(list, "value"), &view_deliveries);
}

int verb_delivery_show(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *delivery = NULL;
	cleanup_buf struct buf path = BUF_INIT;
	struct err err = { 0 };
	int exit;

	if (!cli_parse(cli, NULL, argc, argv, &operands, 1, 1, &exit))
		return exit;
	buf_adds(&path, "/v1/deliveries/");
	percent_encode(&path, str_from(operands.items[0]));
	if (client_json(cli_client(cli), "GET", path.ptr, NULL, &delivery, &err) < 0)
		return cli_fail(&err);
	return output_value(cli, delivery, &view_deliveries);
}

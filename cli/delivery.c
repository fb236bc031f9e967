/* slipway delivery list | show | replay */
#include "cli/delivery.h"

#include "cli/client.h"
#include "cli/record_delivery.h"
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

int delivery_print(const struct cli *cli, const json_t *delivery)
{
	cleanup_buf struct buf text = BUF_INIT;

	if (cli->format != OUTPUT_TABLE || output_is_data(cli))
		return output_value(cli, delivery, &view_deliveries);
	record_add_delivery(&text, delivery);
	output_text(&text);
	return EXIT_OK;
}

/* "ID [--webhook NAME]" of show and replay, and what the service answers to it. */
static int one_delivery(struct cli *cli, int argc, char **argv, const char *method,
			const char *action)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *delivery = NULL;
	cleanup_buf struct buf path = BUF_INIT;
	const char *webhook = NULL;
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "webhook", OPTION_TEXT, &webhook, "NAME",
		  "the one that it came on, where several have one of that id" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 1, 1, &exit))
		return exit;
	buf_adds(&path, "/v1/deliveries/");
	percent_encode(&path, str_from(operands.items[0]));
	buf_adds(&path, action);
	if (webhook) {
		buf_adds(&path, "?webhook=");
		percent_encode(&path, str_from(webhook));
	}
	if (client_json(cli_client(cli), method, path.ptr, NULL, &delivery, &err) < 0)
		return cli_fail(&err);
	return delivery_print(cli, delivery);
}

int verb_delivery_show(struct cli *cli, int argc, char **argv)
{
	return one_delivery(cli, argc, argv, "GET", "");
}

int verb_delivery_replay(struct cli *cli, int argc, char **argv)
{
	return one_delivery(cli, argc, argv, "POST", "/replay");
}

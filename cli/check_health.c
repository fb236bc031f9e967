/* slipway check-health: every part that a run needs, a line each. */
#include "cli/client.h"
#include "cli/printable.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/scope.h"

/* For people: "ok  engine  buildah 1.28.2", and the hint below what failed. */
static void add_check(struct buf *out, const json_t *check)
{
	bool ok = json_is_true(json_object_get(check, "ok")), colour = isatty(STDOUT_FILENO);
	const char *hint = json_string_value(json_object_get(check, "hint"));
	cleanup_buf struct buf name = BUF_INIT;

	printable_add(&name, json_string_value(json_object_get(check, "name")));
	buf_addf(out, "%s%-6s%s %-22s ", colour ? (ok ? "\033[32m" : "\033[31m") : "",
		 ok ? "ok" : "FAILED", colour ? "\033[0m" : "", buf_str(&name).ptr);
	printable_add(out, json_string_value(json_object_get(check, "message")));
	buf_addc(out, '\n');
	if (ok || !hint || !*hint)
		return;
	buf_addf(out, "       %-22s ", "");
	printable_add(out, hint);
	buf_addc(out, '\n');
}

int verb_check_health(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *health = NULL;
	struct err err = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	size_t i, failed = 0;
	json_t *check;
	int exit;

	if (!cli_parse(cli, NULL, argc, argv, &operands, 0, 0, &exit))
		return exit;
	if (client_json(cli_client(cli), "GET", "/v1/health", NULL, &health, &err) < 0)
		return cli_fail(&err);
	const json_t *checks = json_object_get(health, "value");
	json_array_foreach ((json_t *)checks, i, check) {
		failed += !json_is_true(json_object_get(check, "ok"));
		add_check(&text, check);
	}
	if (cli->format == OUTPUT_TABLE && !output_is_data(cli))
		output_text(&text);
	else if ((exit = output_value(cli, checks, &view_health)) != EXIT_OK)
		return exit;
	return failed ? EXIT_RUN : EXIT_OK;
}

/* slipway check-health: every part that a run needs, a line each. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/verbs.h"
#include "cli/views.h"
#include "common/scope.h"

/* For people: "ok  engine  buildah 1.28.2", and the hint below what failed. */
static void print_checks(const json_t *checks)
{
	bool colour = isatty(STDOUT_FILENO);
	size_t i;
	json_t *check;

	json_array_foreach ((json_t *)checks, i, check) {
		bool ok = json_is_true(json_object_get(check, "ok"));
		const char *hint = json_string_value(json_object_get(check, "hint"));
		printf("%s%-6s%s %-22s %s\n", colour ? (ok ? "\033[32m" : "\033[31m") : "",
		       ok ? "ok" : "FAILED", colour ? "\033[0m" : "",
		       json_string_value(json_object_get(check, "name")),
		       json_string_value(json_object_get(check, "message")));
		if (!ok && hint && *hint)
			printf("       %-22s %s\n", "", hint);
	}
}

int verb_check_health(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *health = NULL;
	struct err err = { 0 };
	size_t i, failed = 0;
	json_t *check;
	int exit;

	if (!cli_parse(cli, NULL, argc, argv, &operands, 0, 0, &exit))
		return exit;
	if (client_json(cli_client(cli), "GET", "/v1/health", NULL, &health, &err) < 0)
		return cli_fail(&err);
	const json_t *checks = json_object_get(health, "value");
	json_array_foreach ((json_t *)checks, i, check)
		failed += !json_is_true(json_object_get(check, "ok"));
	if (cli->format == OUTPUT_TABLE && !output_is_data(cli))
		print_checks(checks);
	else
		output_value(cli, checks, &view_health);
	return failed ? EXIT_RUN : EXIT_OK;
}

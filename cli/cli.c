#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/help.h"
#include "cli/printable.h"
#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"

static int choose_format(struct cli *cli, struct err *err)
{
	static const char *const names[] = { "table", "json", "jsonl", "tsv", NULL };

	if (!cli->output)
		return 0;
	for (int i = 0; names[i]; i++) {
		if (strcmp(cli->output, names[i]) == 0) {
			cli->format = (enum output_format)i;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, "usage", "-o wants table, json, jsonl or tsv, not '%.40s'",
		       cli->output);
}

bool cli_parse(struct cli *cli, const struct option_def *own, int argc, char **argv,
	       struct strvec *operands, size_t min_operands, size_t max_operands, int *exit)
{
	struct err err = { 0 };
	struct option_def global[HELP_GLOBAL_OPTIONS];

	help_global_options(cli, global);
	*exit = EXIT_USAGE;
	if (options_parse(own, global, argc, argv, operands, &err) < 0) {
		cli_fail(&err);
		fprintf(stderr, "Try: slipway %s --help\n", cli->verb->name);
		return false;
	}
	if (cli->help) {
		help_print_verb(cli->verb, own, global);
		*exit = EXIT_OK;
		return false;
	}
	if (cli->version) {
		puts("slipway " SLIPWAY_VERSION);
		*exit = EXIT_OK;
		return false;
	}
	if (choose_format(cli, &err) < 0) {
		cli_fail(&err);
		return false;
	}
	if (operands->len < min_operands || operands->len > max_operands) {
		if (operands->len > max_operands)
			cli_say("unexpected word '%.60s'", operands->items[max_operands]);
		fprintf(stderr, "Usage: slipway %s %s\n", cli->verb->name, cli->verb->synopsis);
		return false;
	}
	return true;
}

struct client *cli_client(struct cli *cli)
{
	if (!cli->client)
		cli->client = client_create(cli->server, cli->token_file, cli->verbose);
	return cli->client;
}

/* The service marks one of its registries as the default. */
static char *default_registry(struct cli *cli, struct err *err)
{
	cleanup_json json_t *list = NULL;
	size_t i;
	json_t *item;

	if (client_json(cli_client(cli), "GET", "/v1/registries", NULL, &list, err) < 0)
		return NULL;
	json_array_foreach (json_object_get(list, "value"), i, item) {
		const json_t *properties = json_object_get(item, "properties");
		const char *name = json_string_value(json_object_get(item, "name"));
		if (name && json_is_true(json_object_get(properties, "isDefault")))
			return xstrdup(name);
	}
	err_set(err, ERR_NOTFOUND, "registry_missing",
		"the service has no default registry: list one under 'registries' in its configuration");
	return NULL;
}

const char *cli_registry_path(struct cli *cli, struct err *err)
{
	if (cli->registry_path)
		return cli->registry_path;
	cleanup_free char *name =
		cli->registry ? xstrdup(cli->registry) : default_registry(cli, err);
	if (!name)
		return NULL;
	cleanup_buf struct buf path = BUF_INIT;
	buf_adds(&path, "/v1/registries/");
	percent_encode(&path, str_from(name));
	cli->registry_path = buf_detach(&path);
	return cli->registry_path;
}

char *cli_path(struct cli *cli, struct err *err, const char *fmt, ...)
{
	const char *base = cli_registry_path(cli, err);
	struct buf path = BUF_INIT;
	va_list args;

	if (!base)
		return NULL;
	buf_adds(&path, base);
	va_start(args, fmt);
	buf_vaddf(&path, fmt, args);
	va_end(args);
	return buf_detach(&path);
}

int cli_fail(const struct err *err)
{
	static const int exits[] = {
		[ERR_INVALID] = EXIT_USAGE,     [ERR_NOTFOUND] = EXIT_NOTFOUND,
		[ERR_CONFLICT] = EXIT_CONFLICT, [ERR_DENIED] = EXIT_DENIED,
		[ERR_LIMIT] = EXIT_USAGE,       [ERR_TIMEOUT] = EXIT_SERVICE,
		[ERR_CANCELED] = EXIT_RUN,      [ERR_UNAVAILABLE] = EXIT_SERVICE,
		[ERR_INTERNAL] = EXIT_SERVICE,
	};

	cli_say("%s", err->msg);
	return err->code == ERR_NONE ? EXIT_SERVICE : exits[err->code];
}

void cli_say(const char *fmt, ...)
{
	cleanup_buf struct buf text = BUF_INIT, line = BUF_INIT;
	va_list args;

	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	buf_adds(&line, "slipway: ");
	printable_add(&line, text.ptr);
	buf_addc(&line, '\n');
	fwrite(line.ptr, 1, line.len, stderr);
}

void cli_release(struct cli *cli)
{
	client_destroy(cli->client);
	free(cli->registry_path);
}

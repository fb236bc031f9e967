/* slipway config check | print */
#include <stdio.h>

#include "cli/verbs.h"
#include "common/scope.h"
#include "config/config.h"

static bool load(struct cli *cli, int argc, char **argv, struct config *config, int *exit)
{
	cleanup_strvec struct strvec operands = { 0 };
	const char *file = NULL;
	struct err err = { 0 };
	const struct option_def own[] = {
		{ 'c', "config", OPTION_TEXT, &file, "FILE",
		  "configuration file (default: $SLIPWAY_CONFIG, then /etc/slipway/slipway.yaml)" },
		{ 0 },
	};

	if (!cli_parse(cli, own, argc, argv, &operands, 0, 0, exit))
		return false;
	if (config_load(config, file, &err) == 0)
		return true;
	cli_fail(&err);
	*exit = EXIT_USAGE;
	return false;
}

int verb_config_check(struct cli *cli, int argc, char **argv)
{
	struct config config = { 0 };
	int exit;

	if (!load(cli, argc, argv, &config, &exit))
		return exit;
	if (config.file)
		printf("%s is good\n", config.file);
	else
		puts("there is no configuration file: the defaults are in force");
	config_release(&config);
	return EXIT_OK;
}

int verb_config_print(struct cli *cli, int argc, char **argv)
{
	struct config config = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	int exit;

	if (!load(cli, argc, argv, &config, &exit))
		return exit;
	config_print(&config, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	config_release(&config);
	return EXIT_OK;
}

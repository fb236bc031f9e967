/*
 * The command line: slipway [GLOBAL OPTIONS] VERB [OPTIONS] [OPERANDS].
 */
#include <errno.h>
#include <stdio.h>

#include "cli/help.h"
#include "cli/verbs.h"

static int unknown(int argc, char **argv)
{
	const char *second = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	const char *meant = verb_meant(argv[0], second);
	bool both = second && verb_is_group(argv[0]);

	cli_say("unknown command '%.60s%s%.60s'%s%s%s", argv[0], both ? " " : "",
		both ? second : "", meant ? " (did you mean '" : "; see slipway --help",
		meant ? meant : "", meant ? "'?)" : "");
	return EXIT_USAGE;
}

/* "slipway task": half a command. */
static int group(int argc, char **argv)
{
	if (help_is_wanted(argc, argv) || (argc > 1 && strcmp(argv[1], "help") == 0)) {
		help_print_group(stdout, argv[0]);
		return EXIT_OK;
	}
	help_print_group(stderr, argv[0]);
	return EXIT_USAGE;
}

/* No verb: only options. */
static int program(struct cli *cli, const struct option_def *global, int argc, char **argv)
{
	struct strvec operands = { 0 };
	struct err err = { 0 };

	if (options_parse(NULL, global, argc, argv, &operands, &err) < 0)
		return cli_fail(&err);
	strvec_release(&operands);
	if (cli->version) {
		puts("slipway " SLIPWAY_VERSION);
		return EXIT_OK;
	}
	help_print_program(cli->help ? stdout : stderr);
	return cli->help ? EXIT_OK : EXIT_USAGE;
}

/* The words behind the program's name; `leading` of them are options that stand before the verb. */
static int dispatch(int argc, char **argv, int leading)
{
	struct cli cli = { 0 };
	int words, rest = argc - leading;

	cli.verb = verb_find(rest, argv + leading, &words);
	if (!cli.verb && verb_is_group(argv[leading]) &&
	    (rest == 1 || argv[leading + 1][0] == '-' || strcmp(argv[leading + 1], "help") == 0))
		return group(rest, argv + leading);
	if (!cli.verb)
		return unknown(rest, argv + leading);
	/* The verb's words make way: options that stood before it are as good as behind it. */
	memmove(argv + words, argv, (size_t)leading * sizeof *argv);
	int code = cli.verb->run(&cli, argc - words, argv + words);
	cli_release(&cli);
	return code;
}

static int run(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct option_def global[HELP_GLOBAL_OPTIONS];

	/* "help VERB" is "VERB --help". */
	if (argc > 1 && strcmp(argv[0], "help") == 0) {
		memmove(argv, argv + 1, (size_t)(argc - 1) * sizeof *argv);
		argv[argc - 1] = (char *)"--help";
	}
	help_global_options(&cli, global);
	int leading = options_leading(global, argc, argv);
	if (leading == argc || argv[leading][0] == '-')
		return program(&cli, global, argc, argv);
	if (strcmp(argv[leading], "help") == 0) {
		help_print_program(stdout);
		return EXIT_OK;
	}
	return dispatch(argc, argv, leading);
}

int main(int argc, char **argv)
{
	int code = run(argc - 1, argv + 1);

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	cli_say("cannot write to standard output: %s", strerror(errno));
	return code == EXIT_OK ? EXIT_SERVICE : code;
}

/* slipway serve: become slipway-server, which lies beside this program or in ../libexec/slipway/.
 */
#include <errno.h>

#include "cli/help.h"
#include "cli/verbs.h"
#include "common/fs.h"
#include "common/scope.h"

/* The server parses its own options; here they are only for the help, which needs no server. */
static const struct option_def server_options[] = {
	{ 'c', "config", OPTION_TEXT, NULL, "FILE",
	  "configuration file (default: $SLIPWAY_CONFIG, then /etc/slipway/slipway.yaml)" },
	{ 0, "data-dir", OPTION_TEXT, NULL, "DIR", "data folder, instead of the file's data_dir" },
	{ 0, "listen", OPTION_TEXT, NULL, "ADDR:PORT",
	  "where to listen, instead of the file's listen; none: the Unix socket alone" },
	{ 0, "verbose", OPTION_FLAG, NULL, NULL, "log more" },
	{ 0 },
};

int verb_serve(struct cli *cli, int argc, char **argv)
{
	static const char *const places[] = { "slipway-server",
					      "../libexec/slipway/slipway-server" };
	cleanup_free char *here = fs_program_dir();
	char *program = NULL;

	if (help_is_wanted(argc, argv)) {
		help_print_verb(cli->verb, server_options, NULL);
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		free(program);
		program = fs_join(here, places[i]);
		if (access(program, X_OK) == 0)
			break;
	}
	char **words = xcalloc((size_t)argc + 2, sizeof *words);
	words[0] = program;
	memcpy(words + 1, argv, (size_t)argc * sizeof *words);
	execv(program, words);
	cli_say("cannot run %s: %s. It should lie beside slipway", program, strerror(errno));
	free(words);
	free(program);
	return EXIT_SERVICE;
}

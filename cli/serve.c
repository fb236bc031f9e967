/* slipway serve: become slipway-server, which lies beside this program or in ../libexec/slipway/.
 */
#include <errno.h>

#include "cli/verbs.h"
#include "common/fs.h"
#include "common/scope.h"

int verb_serve(struct cli *cli, int argc, char **argv)
{
	static const char *const places[] = { "slipway-server",
					      "../libexec/slipway/slipway-server" };
	cleanup_free char *here = fs_program_dir();
	char *program = NULL;

	(void)cli;
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

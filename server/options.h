/* options: slipway-server's command line. */
#pragma once
#include <stdbool.h>

struct options {
	const char *config_path; /* NULL: the usual places */
	const char *data_dir;    /* NULL: the configuration's */
	const char *listen;      /* NULL: the configuration's */
	bool verbose;
};

/* True: go on. False: all was said (--help, --version, a mistake); leave with *exit_code. */
bool options_read(struct options *out, int argc, char **argv, int *exit_code);

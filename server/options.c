#include "server/options.h"

#include <getopt.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: slipway-server [-c FILE] [--data-dir DIR] [--listen ADDR:PORT] [--verbose]\n"
	"\n"
	"  -c, --config FILE    the configuration; default: $SLIPWAY_CONFIG, /etc/slipway/slipway.yaml\n"
	"      --data-dir DIR   where everything is kept; instead of data_dir\n"
	"      --listen WHERE   ADDR:PORT, or 'none' for the Unix socket alone; instead of listen\n"
	"      --verbose        log more\n"
	"      --version, --help\n"
	"\n"
	"Signals: SIGTERM drains and ends (builds go on), SIGHUP reads the configuration again.\n";

static const struct option known[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "data-dir", required_argument, NULL, 'd' },
	{ "listen", required_argument, NULL, 'l' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static bool leave(int *exit_code, int code)
{
	*exit_code = code;
	return false;
}

bool options_read(struct options *out, int argc, char **argv, int *exit_code)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:", known, NULL)) != -1) {
		switch (c) {
		case 'c': out->config_path = optarg; break;
		case 'd': out->data_dir = optarg; break;
		case 'l': out->listen = optarg; break;
		case 'v': out->verbose = true; break;
		case 'V': puts("slipway-server " SLIPWAY_VERSION); return leave(exit_code, 0);
		case 'h': fputs(usage, stdout); return leave(exit_code, 0);
		default: fputs(usage, stderr); return leave(exit_code, EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "slipway-server: '%.100s' is not wanted here\n%s", argv[optind],
			usage);
		return leave(exit_code, EXIT_USAGE);
	}
	return true;
}

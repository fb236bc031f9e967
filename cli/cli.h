/*
 * cli: what every verb of the command line shares: the global options, exit codes, the table of
 * verbs.
 *
 * A verb is one file and one row in verbs.c. It gets the words after its name, parses them with
 * cli_parse(), talks to the service through client.h, prints through output.h, and returns an
 * exit code. Results go to standard output; progress and messages to standard error.
 */
#pragma once
#include "cli/options.h"

enum cli_exit {
	EXIT_OK = 0,
	EXIT_RUN = 1,     /* the run ended in another status than Succeeded */
	EXIT_USAGE = 2,   /* usage or invalid input */
	EXIT_SERVICE = 3, /* the service cannot be reached, or failed */
	EXIT_DENIED = 4,
	EXIT_NOTFOUND = 5,
	EXIT_CONFLICT = 6,
};

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_TSV };

struct client;
struct verb;

struct cli {
	const struct verb *verb;
	/* global options */
	const char *server, *token_file, *registry, *output, *jq;
	bool quiet, verbose, help, version;
	/* made from them */
	enum output_format format;
	struct client *client; /* opened on first use: cli_client() */
	char *registry_path;   /* "/v1/registries/main": cli_registry_path() */
};

struct verb {
	const char *name;     /* "task list-runs" */
	const char *synopsis; /* "[-n TASK] [--run-status STATUS] …" */
	const char *summary;  /* one line */
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *details; /* paragraphs for --help and the man page, or NULL */
};

/*
 * Parse the verb's words. True: go on. False: stop with *exit (help was printed, or a usage error
 * was reported). `max_operands` 0 means that the verb takes none.
 */
bool cli_parse(struct cli *cli, const struct option_def *own, int argc, char **argv,
	       struct strvec *operands, size_t min_operands, size_t max_operands, int *exit);

/* The connection to the service. Never NULL: an error appears with the first request. */
struct client *cli_client(struct cli *cli);
/* "/v1/registries/NAME" of -r or of the service's default one; NULL with *err. Borrowed. */
const char *cli_registry_path(struct cli *cli, struct err *err);
/* The same with "/rest" behind it. Owned by the caller. */
char *cli_path(struct cli *cli, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Print "slipway: message" and give the exit code that belongs to the error. */
int cli_fail(const struct err *err);
/* A message for people on standard error: "slipway: …". Shows no control characters. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_release(struct cli *cli);

/*
 * follow: stay with a run until its end: its log as it grows, Ctrl-C as a cancel, its last status.
 */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "cli/cli.h"

struct follow_opts {
	bool live;   /* to its end; else what is there now */
	bool cancel; /* Ctrl-C asks for a cancel (twice: detach) */
	FILE *out;   /* NULL: only wait */
};

/*
 * Copy the log of `run_id` from its beginning. A connection that breaks is resumed at its offset
 * for up to 30 s (a server that restarts). Returns an exit code: EXIT_OK when the log ended,
 * EXIT_RUN when the user detached.
 */
int follow_log(struct cli *cli, const char *run_id, const struct follow_opts *opts);

/* Follow, then fetch the run: *run is a new reference. The exit code is the run's. */
int follow_run(struct cli *cli, const char *run_id, const struct follow_opts *opts, json_t **run);

/* The exit code of a run in this state; says on standard error why it failed. */
int follow_verdict(const json_t *run);

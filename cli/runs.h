/* runs: listings of runs as the verbs need them. */
#pragma once
#include <jansson.h>

#include "cli/cli.h"

/*
 * All runs that `filter` ("" for none) selects, newest first, at most `top` (0: no limit); follows
 * the service's pages. A new reference, or NULL.
 */
json_t *runs_list(struct cli *cli, const char *filter, int64_t top, struct err *err);

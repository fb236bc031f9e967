/*
 * output: how results are printed: as `az` prints them. A resource's "properties" are lifted to
 * the top level; lists are arrays; jsonl is one object a line; tsv and table are the verb's
 * columns. Colours only on a terminal. Control characters of the service's texts are escaped.
 */
#pragma once
#include <jansson.h>

#include "cli/cli.h"

struct column {
	const char *title; /* "RUN ID" */
	const char *path;  /* "runId", "sourceTrigger.branchName" */
	/* Or a cell that is made: appends text for `item`. */
	void (*make)(struct buf *cell, const json_t *item);
};

/* A view of a kind of resource: its columns (last one without title) and the member that is its id.
 */
struct view {
	const char *id;
	const struct column *columns;
};

/* A new reference: the resource with the members of "properties" at the top level. */
json_t *output_lift(const json_t *resource);

/* Print one resource or an array of them, by -o, -q and --jq. Lifts. EXIT_OK, or a usage error. */
int output_value(const struct cli *cli, const json_t *value, const struct view *view);

/* -o json or jsonl, -q or --jq: standard output belongs to the result, a log goes elsewhere. */
bool output_is_data(const struct cli *cli);

/* "00:01:05" between two RFC 3339 times, until now without an end; nothing without a start. */
void output_duration_of(struct buf *cell, const char *start, const char *end);
/* Between startTime and finishTime: for DURATION. */
void output_duration(struct buf *cell, const json_t *item);

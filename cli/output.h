/*
 * output: how results are printed: as `az` prints them. A resource's "properties" are lifted to
 * the top level; lists are arrays; jsonl is one object a line; tsv and table are the verb's
 * columns. Colours only on a terminal. A table shows no control characters (printable.h). Whether
 * standard output took everything is asked once, at the end of main().
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

/*
 * One resource or an array of them, lifted, by -o, -q and --jq. When --jq fails half way (word
 * "usage"), what came before that is in `out`.
 */
int output_add(struct buf *out, const struct cli *cli, const json_t *value, const struct view *view,
	       struct err *err);
/* The same to standard output. EXIT_OK, or a usage error that was reported. */
int output_value(const struct cli *cli, const json_t *value, const struct view *view);
void output_text(const struct buf *text);

/* -o json or jsonl, -q or --jq: standard output belongs to the result, a log goes elsewhere. */
bool output_is_data(const struct cli *cli);

/*
 * run: one build of one context, from the queue to its end. The words are ACR's.
 *
 *   Queued ──► Started ──► Running ──► Succeeded | Failed | Canceled | Error | Timeout
 *      └──────────┴───────────┴──────► Canceled and Error, from anywhere
 *
 * Queued: waits for a place. Started: claimed, its runner is being started. Running: the runner
 * has said so. The last five are terminal and are never left.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/build.h"
#include "model/image.h"

enum run_status {
	RUN_QUEUED,
	RUN_STARTED,
	RUN_RUNNING,
	RUN_SUCCEEDED,
	RUN_FAILED,
	RUN_CANCELED,
	RUN_ERROR,
	RUN_TIMEOUT,
};
enum { RUN_STATUSES = RUN_TIMEOUT + 1, RUN_ID_BYTES = 24 };

enum run_type { RUN_QUICK_BUILD, RUN_QUICK_RUN, RUN_AUTO_BUILD, RUN_AUTO_RUN };

struct run_step {
	char *name;               /* "fetch", "build", "push" */
	enum run_status status;   /* RUN_RUNNING until it ended */
	int64_t start_ms, end_ms; /* 0: not yet */
};

/* What moved, for a run that a push started (ACR's sourceTrigger). */
struct source_event {
	char *id;         /* delivery id; NULL: no source trigger */
	char *event_type; /* "Commit" */
	char *commit_id;  /* the pushed tip */
	char *repository_url;
	char *branch;   /* short name of branch or tag */
	char *provider; /* "Github" */
};

struct run {
	int64_t seq; /* the order of acceptance, over all registries */
	char *id;    /* "ca1" */
	char *registry;
	enum run_status status;
	enum run_type type;
	int attempt; /* 0 while it was never claimed */
	char *task;  /* name, or NULL for a manual build */
	struct build build;
	struct source_event source;
	char *order_key; /* runs with the same key go one after the other, by seq; NULL: no order */

	int64_t create_ms, start_ms, finish_ms, updated_ms;
	char *reason;     /* why this run exists: "push to main by octocat" */
	char *error_code; /* stable word, or NULL */
	char *error_message;
	char *commit; /* the exact id that was built, or NULL */
	char *superseded_by;
	bool archive_enabled;
	bool cancel_requested;
	struct run_step *steps;
	size_t steps_len;
	struct image *images; /* pushed, with digest */
	size_t images_len;
};

void run_release(struct run *r);
bool run_status_is_terminal(enum run_status s);
const char *run_status_name(enum run_status s);
int run_status_parse(enum run_status *out, struct str name); /* without case; -1: no status */
const char *run_type_name(enum run_type t);
int run_type_parse(enum run_type *out, struct str name);

/* "ca" + base 36 of `counter`; `letters` are the registry's two. */
void run_id_format(char out[RUN_ID_BYTES], const char *letters, int64_t counter);
/* The two letters of the n-th registry: ca, cb, … cz, da, …; n from 0, below 600. */
void run_id_letters(char out[3], int n);
bool run_id_is_valid(struct str text); /* [a-z]{2}[0-9a-z]{1,13} */

/* Progress as it is kept in the row: {"steps":[…],"images":[…]}. */
json_t *run_progress_to_json(const struct run *r);
int run_progress_from_json(struct run *r, const json_t *object);

/* What stands under "properties" in the Run resource (contract.md, "Run properties"). */
json_t *run_properties_to_json(const struct run *r);
/* {"id": prefix + "/runs/" + id, "name", "type", "properties"}; `prefix` is the registry's path. */
json_t *run_to_json(const struct run *r, const char *prefix);

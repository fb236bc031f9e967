/*
 * run_moves: the changes of a run's row, each a compare-and-set on (status, attempt). A function
 * named after a move returns 1 when the row was as `from` says and is changed now, 0 when it was
 * not and nothing happened, -1 on failure. When a move ends a run, the next one of the same
 * order_key becomes ready in the same transaction.
 *
 *   Queued ─claim─► Started ─progress─► Running ─┐
 *     ▲ │               └───────────┬────────────┤
 *     │ └─cancel──► Canceled        │            └─finish─► a terminal status
 *     └────────────requeue──────────┘
 */
#pragma once
#include "model/run.h"

struct store_db;

/* What a runner reports, in the form of the row; run_record_init() may run on any thread. */
struct run_record {
	enum run_status status;
	char *error_code, *error_message, *commit;
	char *progress;  /* JSON: steps and images; NULL: none yet */
	char *manifests; /* "repository@digest" of each pushed image, a line each; NULL: none */
};
void run_record_init(struct run_record *record, const struct run *run);
void run_record_release(struct run_record *record);

/* What the moves look at. Zeroed memory holds nothing to release. */
struct run_state {
	int64_t seq;
	char id[RUN_ID_BYTES];
	enum run_status status;
	int attempt;
	bool cancel_requested;
	bool has_images; /* something was pushed */
	char *order_key; /* or NULL */
};
void run_state_release(struct run_state *state);
/* `registry` NULL: in any. 1 found, 0 not, -1. */
int run_state_find(struct store_db *db, const char *registry, const char *id, struct run_state *out,
		   struct err *err);
/* The oldest run that may be claimed. */
int run_state_next_ready(struct store_db *db, struct run_state *out, struct err *err);

int run_move_claim(struct store_db *db, const struct run_state *from, int64_t now_ms,
		   struct err *err);
/* To Running, with progress, manifests and commit of the record. */
int run_move_progress(struct store_db *db, const struct run_state *from,
		      const struct run_record *record, int64_t now_ms, struct err *err);
/* To the status of the record, with all of it. */
int run_move_finish(struct store_db *db, const struct run_state *from,
		    const struct run_record *record, int64_t now_ms, struct err *err);
/* Back to Queued; `why` is shown until it is claimed again. */
int run_move_requeue(struct store_db *db, const struct run_state *from, const char *why,
		     int64_t now_ms, struct err *err);
/* From Queued, Started or Running, keeping what the run has recorded of itself. */
int run_move_end(struct store_db *db, const struct run_state *from, enum run_status status,
		 const char *error_code, const char *error_message, int64_t now_ms,
		 struct err *err);
/* A claimed run is asked to stop: its status stays. */
int run_move_ask_cancel(struct store_db *db, const struct run_state *from, int64_t now_ms,
			struct err *err);

/* In any status. 1 when there is such a run. */
int run_set_archived(struct store_db *db, const char *registry, const char *id, bool archived,
		     int64_t now_ms, struct err *err);
/*
 * Delete up to `top` runs that ended before `before_ms` and are not archived, with the ref events
 * that name them; their ids are added to *ids.
 */
int run_forget(struct store_db *db, int64_t before_ms, size_t top, struct strvec *ids,
	       struct err *err);

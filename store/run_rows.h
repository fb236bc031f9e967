/*
 * run_rows: the table `run`, rows in and out. Functions that look something up return 1 when it is
 * there, 0 when it is not, -1 on failure. Lane threads only.
 *
 * A run's secrets are apart from the rest, sealed by the caller; this folder never sees them open.
 */
#pragma once
#include "common/buf.h"
#include "model/run.h"

struct store_db;

/* A run that is to become a row. What can be made ready on the loop is, to keep the lane free. */
struct run_draft {
	struct run run;
	char *request;  /* the build as JSON, without secrets */
	char *platform; /* or NULL */
};
/* Contents of *run are taken. */
void run_draft_init(struct run_draft *draft, struct run *run);
void run_draft_release(struct run_draft *draft);
/*
 * All of the draft's run but what only later states have; its id is given, its seq is set. The row
 * is ready to be claimed when no unfinished run has its order_key.
 */
int run_insert(struct store_db *db, struct run_draft *draft, struct str sealed, struct err *err);

/* Contents of *out are the caller's. `registry` NULL: in any. */
int run_find(struct store_db *db, const char *registry, const char *id, struct run *out,
	     struct err *err);
/* The box as it was given to run_insert(), added to *out; nothing when there was none. */
int run_read_sealed(struct store_db *db, int64_t seq, struct buf *out, struct err *err);

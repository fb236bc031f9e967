/* run_columns: the columns of a run in the order in which run_read() takes them. For store/ only.
 */
#pragma once
#include "model/run.h"
#include "store/stmt.h"

#define RUN_COLUMNS                                                                                \
	"seq, id, registry, status, type, attempt, cancel_requested, archived, create_ms, "        \
	"start_ms, finish_ms, updated_ms, task, order_key, reason, error_code, error_message, "    \
	"commit_id, superseded_by, source_id, source_event, source_commit, source_repository, "    \
	"source_branch, source_provider, progress"

enum run_part { RUN_PLATFORM, RUN_BUILD }; /* what comes after RUN_COLUMNS: platform or request */

/* The row on which `s` stands. -1: it is damaged. */
int run_read(struct run *out, struct stmt *s, enum run_part part, struct err *err);

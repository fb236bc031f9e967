/*
 * changes: which runs a transaction has created or moved. Written by `work` on a lane, folded into
 * the counts by the loop after the commit. Commits come back in their order, so the counts are
 * those of the database without ever asking it.
 */
#pragma once
#include "queue/queue.h"

struct store_db;

struct change {
	char run_id[RUN_ID_BYTES];
	bool created; /* then `from` means nothing */
	enum run_status from, to;
	bool cancel_asked; /* its runner has to be told */
};

struct changes {
	struct change *items;
	size_t len;
	bool ready;        /* a run may have become ready to be claimed */
	bool oldest_known; /* the transaction asked for it: */
	int64_t oldest_queued_ms;
};

void changes_created(struct changes *c, const char *run_id);
struct change *changes_moved(struct changes *c, const char *run_id, enum run_status from,
			     enum run_status to);
/* At the end of a transaction that took runs out of the queue, or put old ones back. */
int changes_ask_oldest(struct changes *c, struct store_db *db, struct err *err);
void changes_count(const struct changes *c, struct queue_counts *counts, int64_t now_ms);
void changes_release(struct changes *c);

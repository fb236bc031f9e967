/*
 * run_list: many runs at a time, each listing by an index and without a count. Lane threads only,
 * but for run_query_init() and what releases.
 */
#pragma once
#include "model/run.h"
#include "store/run_filter.h"

struct store_db;

struct run_list {
	struct run *items;
	size_t len;
};
void run_list_release(struct run_list *list);

/*
 * A listing, newest first, compiled by run_query_init(). Of the build its runs have the platform
 * only: decoding 50 builds would cost more than finding them.
 */
struct run_query {
	struct buf where; /* SQL, with a '?' for each of `args` */
	struct run_query_args args;
};
void run_query_init(struct run_query *q, const char *registry, const struct filter *filter);
void run_query_release(struct run_query *q);
/* Runs older than `before_seq` (0: from the newest), at most `top` of them. */
int run_query_page(struct store_db *db, const struct run_query *q, int64_t before_seq, size_t top,
		   struct run_list *out, struct err *err);
/* Ids of the unfinished ones among them, newest first, at most `top`, added to *ids. */
int run_query_unfinished_ids(struct store_db *db, const struct run_query *q, size_t top,
			     struct strvec *ids, struct err *err);

/* Started and Running, the oldest first, whole. */
int run_list_claimed(struct store_db *db, struct run_list *out, struct err *err);
/* Runs of each unfinished status, by an index. */
int run_count_unfinished(struct store_db *db, int64_t counts[RUN_STATUSES], struct err *err);
/* Create time of the oldest queued run, 0 when there is none. */
int run_oldest_queued(struct store_db *db, int64_t *create_ms, struct err *err);

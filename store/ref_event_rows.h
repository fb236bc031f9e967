/*
 * ref_event_rows: the table `ref_event`: for each (task, repository, ref) the latest accepted
 * event, as long as that one made a run. A later event that is equal to it is a repetition; an
 * event that made no run (a deletion, a disabled task) takes the row away, so that what comes after
 * it is news.
 */
#pragma once
#include "common/err.h"
#include "model/event.h"

struct store_db;

struct ref_key { /* borrowed */
	const char *registry, *task, *repository, *ref;
};

/* 1: `event` is equal to the latest one, which made *run_id (owned by the caller). 0: it is not. */
int ref_event_find_repeated(struct store_db *db, const struct ref_key *key,
			    const struct event *event, char **run_id, struct err *err);
int ref_event_put(struct store_db *db, const struct ref_key *key, const struct event *event,
		  const char *run_id, struct err *err);
/*
 * An old event made a run again: the row names that run from now on, unless it is of a later event,
 * which may come once more and must be known.
 */
int ref_event_renew(struct store_db *db, const struct ref_key *key, const struct event *event,
		    const char *run_id, struct err *err);
int ref_event_remove(struct store_db *db, const struct ref_key *key, struct err *err);
/* When a run or a task goes. */
int ref_event_forget_run(struct store_db *db, const char *registry, const char *task,
			 const char *run_id, struct err *err);
int ref_event_forget_task(struct store_db *db, const char *registry, const char *task,
			  struct err *err);

/*
 * match: which tasks an event starts, and why or why not. Pure: no loop, no database, no clock.
 */
#pragma once
#include "model/delivery.h"
#include "model/event.h"
#include "model/run.h"
#include "model/task.h"

struct match {
	struct run
		*wanted; /* drafts: registry, task, type, build, source, order_key, reason; no id */
	size_t len;
};

/*
 * Look at each of `tasks` (those that follow the repository of the delivery's n-th event), append a
 * verdict per task to the delivery, and a draft of a run to *out for each that matched, in the same
 * order. With no task at all, one verdict without a task says so.
 */
void match_event(struct match *out, struct delivery *delivery, size_t n,
		 const struct task *const *tasks, size_t len);
void match_release(struct match *m);

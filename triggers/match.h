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
 * Look at each of `tasks` (those that follow the event's repository), append a verdict per task to
 * the delivery, and put a draft of a run into *out for each that matched. With no task at all, one
 * verdict without a task says so.
 */
void match_event(struct match *out, struct delivery *delivery, const struct task *const *tasks,
		 size_t len);
void match_release(struct match *m);

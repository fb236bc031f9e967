/* replay: a stored delivery once more, by an operator's order. */
#pragma once
#include "queue/queue.h"

/*
 * Its events go to the tasks as they are now, and make new runs although they were seen: of the
 * commits that were pushed then. The replay is a delivery of its own, whose id begins with
 * "replay-". `stored` is borrowed for the call; `cb` is as queue_replay()'s.
 */
void webhook_replay(struct queue *q, const struct delivery *stored, queue_accept_cb cb, void *data);

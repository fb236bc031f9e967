/*
 * memory_queue: what webhooks/receive.c needs of queue/queue.h, in memory, so that its answers can
 * be tested without a database: queue_accept() and queue_tasks_of_repository() with the contract
 * of queue.h, one task, and a switch that makes the next commit fail.
 */
#pragma once
#include "queue/queue.h"

struct queue {
	struct task task;
	struct delivery *kept;
	size_t kept_len;
	size_t runs;     /* made in all */
	struct run last; /* the newest draft, with its id */
	bool fails;      /* commits fail with "storage" */
};

/* A task "web" of registry "main" that follows `branch` of `url`. */
void memory_queue_init(struct queue *q, const char *url, const char *branch);
void memory_queue_release(struct queue *q);

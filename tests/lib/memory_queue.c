#include "tests/lib/memory_queue.h"

#include <assert.h>

#include "model/repository.h"

void memory_queue_init(struct queue *q, const char *url, const char *branch)
{
	*q = (struct queue){ .task = { .registry = xstrdup("main"),
				       .name = xstrdup("web"),
				       .enabled = true,
				       .triggers = xnew(struct source_trigger),
				       .triggers_len = 1 } };
	*q->task.triggers = (struct source_trigger){ .name = xstrdup("t"),
						     .enabled = true,
						     .on_commit = true,
						     .repository_url = xstrdup(url),
						     .branch = xstrdup(branch) };
	int rc = repository_identity(&q->task.triggers->repository, str_from(url), NULL);
	assert(rc == 0);
}

void memory_queue_release(struct queue *q)
{
	for (size_t i = 0; i < q->kept_len; i++)
		delivery_release(&q->kept[i]);
	free(q->kept);
	task_release(&q->task);
	run_release(&q->last);
}

size_t queue_tasks_of_repository(const struct queue *q, const char *repository,
				 const struct task *const **out)
{
	static const struct task *one;

	one = &q->task;
	*out = &one;
	return strcmp(repository, q->task.triggers->repository) == 0;
}

static struct delivery *find(struct queue *q, const struct delivery *d)
{
	for (size_t i = 0; i < q->kept_len; i++) {
		struct delivery *kept = &q->kept[i];
		if (strcmp(kept->delivery_id, d->delivery_id) == 0 ||
		    memcmp(kept->body_sha256, d->body_sha256, SHA256_BYTES) == 0)
			return kept;
	}
	return NULL;
}

static struct delivery *keep(struct queue *q, struct delivery *d, struct run *wanted, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char id[RUN_ID_BYTES];
		run_id_format(id, "ca", (int64_t)++q->runs);
		run_release(&q->last);
		q->last = wanted[i];
		q->last.id = xstrdup(id);
		strvec_push(&d->runs, id);
		wanted[i] = (struct run){ 0 };
	}
	q->kept = xreallocarray(q->kept, q->kept_len + 1, sizeof *q->kept);
	q->kept[q->kept_len] = *d;
	*d = (struct delivery){ 0 };
	return &q->kept[q->kept_len++];
}

void queue_accept(struct queue *q, struct delivery *d, struct run *wanted, size_t len,
		  queue_accept_cb cb, void *data)
{
	struct err err = { 0 };
	struct delivery *known = find(q, d);

	if (q->fails)
		err_set(&err, ERR_UNAVAILABLE, "storage", "the disk is full");
	else if (known && memcmp(known->body_sha256, d->body_sha256, SHA256_BYTES) != 0)
		err_set(&err, ERR_CONFLICT, "delivery_conflict", "known with another body");
	if (err.code == ERR_NONE && !known) {
		cb(ACCEPT_NEW, keep(q, d, wanted, len), NULL, data);
		return;
	}
	delivery_release(d);
	for (size_t i = 0; i < len; i++)
		run_release(&wanted[i]);
	cb(ACCEPT_KNOWN, known, err.code == ERR_NONE ? NULL : &err, data);
}

#include "queue/changes.h"

#include <assert.h>

#include "store/run_list.h"

static struct change *add(struct changes *c, const char *run_id)
{
	c->items = xreallocarray(c->items, c->len + 1, sizeof *c->items);
	struct change *change = &c->items[c->len++];
	*change = (struct change){ 0 };
	snprintf(change->run_id, sizeof change->run_id, "%s", run_id);
	return change;
}

void changes_created(struct changes *c, const char *run_id)
{
	struct change *change = add(c, run_id);

	change->created = true;
	change->to = RUN_QUEUED;
	c->ready = true;
}

struct change *changes_moved(struct changes *c, const char *run_id, enum run_status from,
			     enum run_status to)
{
	struct change *change = add(c, run_id);

	assert(!run_status_is_terminal(from) || from == to);
	change->from = from;
	change->to = to;
	/* An end lets the next run of its order_key go. */
	if (from != to && (to == RUN_QUEUED || run_status_is_terminal(to)))
		c->ready = true;
	return change;
}

int changes_ask_oldest(struct changes *c, struct store_db *db, struct err *err)
{
	c->oldest_known = true;
	return run_oldest_queued(db, &c->oldest_queued_ms, err);
}

void changes_count(const struct changes *c, struct queue_counts *counts, int64_t now_ms)
{
	for (size_t i = 0; i < c->len; i++) {
		const struct change *change = &c->items[i];
		if (change->created && counts->oldest_queued_ms == 0)
			counts->oldest_queued_ms = now_ms;
		if (!change->created)
			counts->runs[change->from]--;
		counts->runs[change->to]++;
	}
	if (c->oldest_known)
		counts->oldest_queued_ms = c->oldest_queued_ms;
}

void changes_release(struct changes *c)
{
	free(c->items);
	*c = (struct changes){ 0 };
}

#include "server/http/deadline.h"

#include <stdbool.h>

static int64_t now_ms(const struct deadlines *all)
{
	return (int64_t)uv_now(all->timer.loop);
}

void deadlines_init(struct deadlines *all, uv_loop_t *loop, const int64_t after_ms[DEADLINE_KINDS],
		    void (*due)(struct deadline *d, enum deadline_kind kind))
{
	int64_t shortest = 8000;

	for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_KINDS; kind++) {
		TAILQ_INIT(&all->lists[kind]);
		all->after_ms[kind] = after_ms[kind];
		if (after_ms[kind] < shortest)
			shortest = after_ms[kind];
	}
	all->tick_ms = shortest < 8 ? 1 : (uint64_t)shortest / 8;
	all->due = due;
	uv_timer_init(loop, &all->timer);
	uv_unref((uv_handle_t *)&all->timer);
}

/* Everything that is due in one list; due() may set its deadline again, behind the others. */
static void expire(struct deadlines *all, enum deadline_kind kind)
{
	struct deadline *d;

	while ((d = TAILQ_FIRST(&all->lists[kind])) && d->due_ms <= now_ms(all)) {
		deadline_clear(all, d);
		all->due(d, kind);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct deadlines *all = (struct deadlines *)timer;
	bool any = false;

	for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_KINDS; kind++) {
		expire(all, (enum deadline_kind)kind);
		any |= !TAILQ_EMPTY(&all->lists[kind]);
	}
	if (!any)
		uv_timer_stop(timer);
}

void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_kind kind)
{
	deadline_clear(all, d);
	d->kind = kind;
	if (kind == DEADLINE_NONE)
		return;
	d->due_ms = now_ms(all) + all->after_ms[kind];
	TAILQ_INSERT_TAIL(&all->lists[kind], d, list);
	if (!uv_is_active((uv_handle_t *)&all->timer))
		uv_timer_start(&all->timer, on_tick, all->tick_ms, all->tick_ms);
}

void deadline_clear(struct deadlines *all, struct deadline *d)
{
	if (d->kind != DEADLINE_NONE)
		TAILQ_REMOVE(&all->lists[d->kind], d, list);
	d->kind = DEADLINE_NONE;
}

/*
 * deadline: many deadlines of few kinds on one timer. Every kind has one duration, so its list is
 * in order of expiry by itself and setting, clearing and expiring cost a constant. The timer ticks
 * only while a deadline is set; one is noticed up to a tick late (an eighth of the shortest kind).
 *
 *   deadlines_init(&all, loop, after_ms, on_due);
 *   deadline_set(&all, &conn->deadline, DEADLINE_HEAD);     due once, then it is DEADLINE_NONE
 *   deadline_clear(&all, &conn->deadline);                  before its memory goes
 *   uv_close((uv_handle_t *)&all.timer, …);
 */
#pragma once
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

enum deadline_kind {
	DEADLINE_NONE,
	DEADLINE_IDLE,   /* no request has begun */
	DEADLINE_HEAD,   /* from the first byte of a head to its end */
	DEADLINE_BODY,   /* one window of measuring how fast a body comes */
	DEADLINE_WRITE,  /* one look at whether the client takes its answer */
	DEADLINE_HALF,   /* a follower has closed its side and nothing is sent to it */
	DEADLINE_LINGER, /* answered and closed: waiting for the client to see it */
	DEADLINE_KINDS
};

struct deadline {
	TAILQ_ENTRY(deadline) list;
	int64_t due_ms;
	enum deadline_kind kind;
};

struct deadlines {
	uv_timer_t timer;
	int64_t after_ms[DEADLINE_KINDS];
	uint64_t tick_ms;
	TAILQ_HEAD(deadline_list, deadline) lists[DEADLINE_KINDS];
	void (*due)(struct deadline *d, enum deadline_kind kind);
};

void deadlines_init(struct deadlines *all, uv_loop_t *loop, const int64_t after_ms[DEADLINE_KINDS],
		    void (*due)(struct deadline *d, enum deadline_kind kind));
void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_kind kind);
void deadline_clear(struct deadlines *all, struct deadline *d);

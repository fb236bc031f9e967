#include "webhooks/judge.h"

/* One verdict about the delivery as a whole. */
static void say(struct delivery *d, char *reason)
{
	delivery_add_verdict(d)->reason = reason;
}

/* One event of the delivery, the n-th. */
static void judge_event(struct match *match, struct delivery *d, size_t n, struct queue *q)
{
	const struct event *event = delivery_event(d, n);
	const struct task *const *tasks = NULL;

	switch (event->kind) {
	case EVENT_PING: say(d, xstrdup("ping: the webhook is connected")); break;
	case EVENT_OTHER:
		say(d, xasprintf("the event '%.64s' starts nothing here", event->name));
		break;
	case EVENT_PUSH:
	case EVENT_PULL_REQUEST: {
		size_t len = queue_tasks_of_repository(q, event->repository, &tasks);
		if (len == 0 && event->repository_id)
			len = queue_tasks_of_repository(q, event->repository_id, &tasks);
		match_event(match, d, n, tasks, len);
		break;
	}
	}
}

void judge_delivery(struct match *match, struct delivery *d, struct queue *q)
{
	for (size_t i = 0; i < delivery_events_len(d); i++)
		judge_event(match, d, i, q);
}

int judge_read(struct delivery *d, const struct webhook *w, const struct webhook_request *r,
	       struct err *err)
{
	struct events events = { 0 };
	int rc = w->provider->parse(&events, r, err);

	if (rc == 0 && events.len > DELIVERY_EVENTS_MAX)
		rc = err_set(err, ERR_LIMIT, "bad_payload", "more than %d refs in one delivery",
			     DELIVERY_EVENTS_MAX);
	if (rc < 0) {
		events_release(&events);
		return -1;
	}
	d->webhook = xstrdup(w->name);
	sha256(d->body_sha256, r->body);
	delivery_take_events(d, &events);
	return 0;
}

#include "webhooks/replay.h"

#include "common/clock.h"
#include "common/scope.h"
#include "webhooks/judge.h"

enum { ID_RANDOM_BYTES = 10 };

/* A delivery that nobody sent: its id is random, and no body can have its hash. */
static void make_replay(struct delivery *d, const struct delivery *stored)
{
	cleanup_free char *token = random_token(ID_RANDOM_BYTES);

	*d = (struct delivery){
		.webhook = xstrdup(stored->webhook),
		.delivery_id = xasprintf("replay-%s", token),
		.replay_of = xstrdup(stored->delivery_id),
		.received_ms = clock_now_ms(),
	};
	random_bytes(d->body_sha256, sizeof d->body_sha256);
	event_copy(&d->event, &stored->event);
	for (size_t i = 0; i < stored->more.len; i++)
		event_copy(events_add(&d->more), &stored->more.items[i]);
}

static void say_replay(char **reason, const char *of)
{
	char *text = xasprintf("replay of %s: %s", of, *reason);

	free(*reason);
	*reason = text;
}

void webhook_replay(struct queue *q, const struct delivery *stored, queue_accept_cb cb, void *data)
{
	struct delivery delivery;
	struct match match = { 0 };

	make_replay(&delivery, stored);
	judge_delivery(&match, &delivery, q);
	for (size_t i = 0; i < delivery.verdicts_len; i++)
		say_replay(&delivery.verdicts[i].reason, delivery.replay_of);
	for (size_t i = 0; i < match.len; i++)
		say_replay(&match.wanted[i].reason, delivery.replay_of);
	queue_replay(q, &delivery, match.wanted, match.len, cb, data);
	/* The queue has taken the contents; the array is ours. */
	free(match.wanted);
}

/* delivery: one webhook message as it was received, and what became of it. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/strvec.h"
#include "model/event.h"

enum {
	DELIVERY_KEPT_DAYS = 40,
	DELIVERY_EVENTS_MAX = 1000, /* of one message */
};

/* Why a task did or did not start for an event. */
struct verdict {
	char *registry; /* of the task */
	char *task; /* NULL: about the delivery as a whole ("no task follows github.com/acme/app")
		     */
	bool matched;
	size_t event; /* which event of the delivery it is about: 0 is the first */
	char *reason; /* a sentence */
	char *run_id; /* of the run that it started or repeats; NULL when none */
};

struct delivery {
	char *webhook;     /* its configured name */
	char *delivery_id; /* the sender's: 1-128 printable ASCII bytes */
	unsigned char body_sha256[SHA256_BYTES];
	char *replay_of; /* id of the delivery that an operator asked for again, or NULL */
	int64_t received_ms;
	struct event event; /* the first; listings show it alone */
	struct events more; /* what else the same message told of: other refs of one push */
	struct verdict *verdicts;
	size_t verdicts_len;
	struct strvec runs; /* ids of the runs it started */
};

void delivery_release(struct delivery *d);
/* The n-th event: 0 is d->event. Borrowed. */
const struct event *delivery_event(const struct delivery *d, size_t n);
size_t delivery_events_len(const struct delivery *d);
/* Takes the contents of *events, which are one or more; *events is empty afterwards. */
void delivery_take_events(struct delivery *d, struct events *events);
/* All events (event_to_json()), for keeping; NULL when columns say all that matching looks at: of
 * one plain push. */
json_t *delivery_events_to_json(const struct delivery *d);
/* What columns do not say of d->event, and d->more, which are of the same repository and sender. */
int delivery_events_from_json(struct delivery *d, const json_t *array);
struct verdict *delivery_add_verdict(struct delivery *d); /* zeroed, to be filled */
json_t *delivery_verdicts_to_json(const struct delivery *d);
/* Replaces d's verdicts. -1 when the (stored) JSON is damaged. */
int delivery_verdicts_from_json(struct delivery *d, const json_t *array);
/*
 * {"deliveryId","webhook","replayOf","event","receivedTime","repository","ref","before","after",
 * "events","verdicts","runs"}; members that the event does not have are left out, and "events"
 * where nothing was pushed or asked to be merged.
 */
json_t *delivery_to_json(const struct delivery *d);

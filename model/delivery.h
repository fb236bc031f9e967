/* delivery: one webhook message as it was received, and what became of it. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/strvec.h"
#include "model/event.h"

enum { DELIVERY_KEPT_DAYS = 40 };

/* Why a task did or did not start for an event. */
struct verdict {
	char *registry; /* of the task */
	char *task; /* NULL: about the delivery as a whole ("no task follows github.com/acme/app")
		     */
	bool matched;
	char *reason; /* a sentence */
	char *run_id; /* of the run that it started or repeats; NULL when none */
};

struct delivery {
	char *webhook;     /* its configured name */
	char *delivery_id; /* the sender's: 1-128 printable ASCII bytes */
	unsigned char body_sha256[SHA256_BYTES];
	int64_t received_ms;
	struct event event;
	struct verdict *verdicts;
	size_t verdicts_len;
	struct strvec runs; /* ids of the runs it started */
};

void delivery_release(struct delivery *d);
struct verdict *delivery_add_verdict(struct delivery *d); /* zeroed, to be filled */
json_t *delivery_verdicts_to_json(const struct delivery *d);
/* Replaces d's verdicts. -1 when the (stored) JSON is damaged. */
int delivery_verdicts_from_json(struct delivery *d, const json_t *array);
/*
 * {"deliveryId","webhook","event","receivedTime","repository","ref","before","after","verdicts",
 * "runs"}; members that the event does not have are left out.
 */
json_t *delivery_to_json(const struct delivery *d);

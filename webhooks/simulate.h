/*
 * simulate: a saved request through the code of a real delivery, without consequences: nothing is
 * stored, no run is made, nothing is counted.
 */
#pragma once
#include <jansson.h>

#include "queue/queue.h"
#include "webhooks/provider.h"

/*
 * A delivery (delivery_to_json()) without a time and without runs, and with
 *   "signature"  "valid", or "missing: …" or "invalid: …" with the reason;
 *   "status"     of the answer that this very request would get;
 *   "problems"   [{"code","message"}]: what it would be refused for;
 *   "known"      {"deliveryId","runs"} when it came before.
 * It goes on after what can be gone on from: a signature, a delivery id.
 */
typedef void (*webhook_simulate_cb)(const json_t *trail, const struct err *err, void *data);

/* `r` is borrowed for the call only. `cb` is called exactly once, maybe before this returns. */
void webhook_simulate(struct queue *q, const struct webhook *w, const struct webhook_request *r,
		      webhook_simulate_cb cb, void *data);

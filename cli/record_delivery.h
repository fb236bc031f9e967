/* record_delivery: a delivery for people: what came, what it means, and what each task said to it.
 */
#pragma once
#include <jansson.h>

#include "common/buf.h"

/* A stored delivery, a replay, or the trail of a simulation. */
void record_add_delivery(struct buf *out, const json_t *delivery);

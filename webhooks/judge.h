/*
 * judge: what a request means, and what each task says to it: the part of a delivery's way that has
 * no consequences, so that a saved request or a stored delivery can go through it again.
 */
#pragma once
#include "queue/queue.h"
#include "triggers/match.h"
#include "webhooks/provider.h"

/*
 * Parse: fills the delivery's webhook, events and body_sha256; id and time are the caller's. Words
 * as the provider's parse(). Authenticity is not looked at.
 */
int judge_read(struct delivery *d, const struct webhook *w, const struct webhook_request *r,
	       struct err *err);
/* Verdicts into the delivery, drafts of runs into *match, by the tasks as they are now. */
void judge_delivery(struct match *match, struct delivery *d, struct queue *q);

/*
 * receive: a webhook's request, from raw bytes to the answer: verify, parse, match, accept; the
 * answer comes after the commit (contract.md, "Webhook answers").
 */
#pragma once
#include "queue/queue.h"
#include "webhooks/provider.h"

struct webhook_answer {
	int status;          /* 202, 200, 400, 401, 409, 415, 503 */
	const char *json;    /* the body, also of an error */
	const char *verdict; /* for metrics and the log: "accepted", "known", "ignored", "refused",
				"unavailable" */
	const char *delivery_id; /* or "" */
	const char *word;        /* error word, or "" */
};
typedef void (*webhook_answer_cb)(const struct webhook_answer *answer, void *data);

/* `r` is borrowed for the call only. `cb` is called exactly once, maybe before this returns. */
void webhook_receive(struct queue *q, const struct webhook *w, const struct webhook_request *r,
		     webhook_answer_cb cb, void *data);

/* The status that answers this error. */
int webhook_status(const struct err *err);

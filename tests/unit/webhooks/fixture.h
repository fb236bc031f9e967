/*
 * fixture: a GitHub webhook with a secret, a queue in memory with one task that follows main of
 * https://github.com/acme/app, and the answer to the last request.
 */
#pragma once
#include "tests/lib/memory_queue.h"
#include "tests/unit/unit.h"
#include "tests/unit/webhooks/push.h"
#include "webhooks/receive.h"

#define OLD_SECRET "the one before"

struct fixture {
	struct queue queue;
	struct webhook webhook;
	struct secret secrets[2]; /* the new one and the old one */
	int answers;
	int status;
	char *json, *verdict, *delivery_id, *word;
};

int fixture_setup(void **state);
/* Another provider's webhook, and a task that follows main of another repository. */
void fixture_of(struct fixture *f, const char *provider, const char *url);
int fixture_teardown(void **state);

/* Hand it to webhook_receive(); the answer is in *f. Exactly one must come. */
void fixture_receive(struct fixture *f, const struct saved_request *r);

/*
 * fixture: a GitHub webhook with a secret, a queue in memory with one task that follows main of
 * https://github.com/acme/app, and the answer to the last request.
 */
#pragma once
#include "tests/lib/memory_queue.h"
#include "tests/lib/saved_request.h"
#include "tests/unit/unit.h"
#include "webhooks/receive.h"

#define SECRET     "It's a Secret to Everybody"
#define OLD_SECRET "the one before"
#define TIP        "1111111111111111111111111111111111111111"
#define BEFORE     "2222222222222222222222222222222222222222"

struct fixture {
	struct queue queue;
	struct webhook webhook;
	struct secret secrets[2]; /* the new one and the old one */
	int answers;
	int status;
	char *json, *verdict, *delivery_id, *word;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Hand it to webhook_receive(); the answer is in *f. Exactly one must come. */
void fixture_receive(struct fixture *f, const struct saved_request *r);
/* The body of a push to main; `spec` is "push", or "push ; path=json ; -path" with changes. */
void fixture_push(struct buf *out, struct str spec);
/* A signed push with this delivery id. */
void fixture_push_request(struct saved_request *r, const char *spec, const char *delivery_id);

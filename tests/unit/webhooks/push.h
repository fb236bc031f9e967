/* push: a push to main of https://github.com/acme/app, and pushes that differ from it. */
#pragma once
#include "tests/lib/saved_request.h"

#define SECRET "It's a Secret to Everybody"
#define TIP    "1111111111111111111111111111111111111111"
#define BEFORE "2222222222222222222222222222222222222222"

/* Its body; `spec` is "push", or "push ; path=json ; -path" with changes. */
void push_body(struct buf *out, struct str spec);
/* The signed delivery. */
void push_request(struct saved_request *r, const char *spec, const char *delivery_id);

/*
 * saved_request: a webhook's request that a test writes down: headers and a body, seen as a
 * provider sees it (webhooks/provider.h).
 *
 *   struct saved_request r = { 0 };
 *   saved_request_header(&r, "X-GitHub-Event", "push");
 *   buf_adds(&r.body, "{}");
 *   saved_request_sign(&r, "secret");
 *   struct webhook_request view = saved_request_view(&r);
 *   saved_request_release(&r);
 */
#pragma once
#include "common/buf.h"
#include "common/strvec.h"
#include "webhooks/provider.h"

struct saved_request {
	struct strvec names, values;
	struct buf body;
};

void saved_request_header(struct saved_request *r, const char *name, const char *value);
/* "sha256=…" of the body as it is now, for X-Hub-Signature-256. Owned by the caller. */
char *saved_request_signature(const struct saved_request *r, const char *secret);
/* Add that header. */
void saved_request_sign(struct saved_request *r, const char *secret);
/* Borrows from r. */
struct webhook_request saved_request_view(const struct saved_request *r);
void saved_request_release(struct saved_request *r);

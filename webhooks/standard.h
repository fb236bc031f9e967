/*
 * standard: signatures as the Standard Webhooks specification has them, which GitLab sends for a
 * webhook with a signing token:
 *
 *   webhook-id: 8f4e…                          the delivery's id
 *   webhook-timestamp: 1614265330              seconds since 1970
 *   webhook-signature: v1,<base 64> v1,…       HMAC-SHA256 of "<id>.<timestamp>.<body>"
 *
 * The key is a secret written "whsec_<base 64>". How old a delivery is does not count: its id is
 * signed, and what was received before is known.
 */
#pragma once
#include "webhooks/provider.h"

bool standard_is_signed(const struct webhook_request *r);
/* Is one of the webhook's secrets the key? Words as provider.h's verify(). */
int standard_verify(const struct webhook *w, const struct webhook_request *r, struct err *err);

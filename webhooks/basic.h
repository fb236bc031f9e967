/* basic: HTTP Basic credentials (RFC 7617) as proof of who sends, for providers that sign nothing.
 */
#pragma once
#include "webhooks/provider.h"

/*
 * Do the credentials of the one Authorization header name the webhook's user and one of its
 * passwords? Words as provider.h's verify(). Takes the same time whichever part is wrong.
 */
int basic_verify(const struct webhook *w, const struct webhook_request *r, struct err *err);

/*
 * github: GitHub's push deliveries (docs.github.com, "Webhook events and payloads" and "Validating
 * webhook deliveries"), also of GitHub Enterprise Server.
 */
#pragma once
#include "webhooks/provider.h"

extern const struct provider provider_github;

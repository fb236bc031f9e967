/*
 * github: GitHub's deliveries (docs.github.com, "Webhook events and payloads" and "Validating
 * webhook deliveries"), also of GitHub Enterprise Server: a repository is known by its clone_url,
 * whatever the host. Pushes are read here, pull requests and the merge queue in github_pull.c.
 */
#pragma once
#include "webhooks/provider.h"

extern const struct provider provider_github;

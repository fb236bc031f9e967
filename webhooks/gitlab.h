/*
 * gitlab: GitLab's deliveries, pushes and merge requests, of webhooks of projects and groups and of
 * system hooks (docs.gitlab.com, "Webhook events" and "System hooks").
 *
 * A secret token is sent as it is and signs nothing; newer releases can sign (standard.h). The
 * header of a system hook does not name the event: that stands in the body, as `event_name` or
 * `object_kind`.
 */
#pragma once
#include "webhooks/provider.h"

extern const struct provider provider_gitlab;

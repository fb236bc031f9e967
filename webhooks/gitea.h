/*
 * gitea: deliveries of Gitea and Forgejo, pushes and pull requests (docs.gitea.com, "Webhooks").
 *
 * Both speak like GitHub and yet differ: the signature of a form belongs to the JSON in it; a
 * branch that goes away is told by `delete` alone and everything else that moves a ref by `push`,
 * so that `create` and `delete` start nothing here; a new base branch stands in `changes.ref`.
 */
#pragma once
#include "webhooks/provider.h"

extern const struct provider provider_gitea;

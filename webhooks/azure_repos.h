/*
 * azure_repos: service hooks of Azure Repos, of Azure DevOps Services and of Azure DevOps Server
 * (learn.microsoft.com, "Service hooks events"). They sign nothing: what comes with them is a
 * password, or a header. One message tells of every ref of a push.
 *
 * Answers other than 2xx and "try again" put a subscription on probation, and what is sent in the
 * meantime is lost. Whatever is authentic but of no use here is therefore EVENT_OTHER, no error.
 */
#pragma once
#include "webhooks/provider.h"

extern const struct provider provider_azure_repos;

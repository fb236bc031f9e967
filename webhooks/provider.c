#include "webhooks/provider.h"

#include "webhooks/azure_repos.h"
#include "webhooks/gitea.h"
#include "webhooks/github.h"
#include "webhooks/gitlab.h"

static const struct provider *const providers[] = {
	&provider_azure_repos,
	&provider_github,
	&provider_gitlab,
	&provider_gitea,
};

const struct provider *provider_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	}
	return NULL;
}

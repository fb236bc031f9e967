#include "webhooks/provider.h"

#include "webhooks/github.h"

static const struct provider *const providers[] = {
	&provider_github,
};

const struct provider *provider_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	}
	return NULL;
}

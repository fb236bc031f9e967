#include "model/event.h"

#include <stdlib.h>
#include <string.h>

static const char heads[] = "refs/heads/";
static const char tags[] = "refs/tags/";

void event_release(struct event *e)
{
	if (!e)
		return;
	free(e->name);
	free(e->provider);
	free(e->repository);
	free(e->repository_url);
	free(e->ref);
	free(e->before);
	free(e->after);
	free(e->sender);
	*e = (struct event){ 0 };
}

const char *event_short_ref(const struct event *e)
{
	if (!e->ref)
		return "";
	if (strncmp(e->ref, heads, strlen(heads)) == 0)
		return e->ref + strlen(heads);
	if (strncmp(e->ref, tags, strlen(tags)) == 0)
		return e->ref + strlen(tags);
	return e->ref;
}

bool event_is_tag(const struct event *e)
{
	return e->ref && strncmp(e->ref, tags, strlen(tags)) == 0;
}

#include "model/event.h"

#include <stdlib.h>

enum { REF_MAX_BYTES = 255 };

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

/* Between two slashes: no dot in front, no ".lock" behind. */
static bool is_ref_component(struct str s)
{
	return s.len > 0 && s.ptr[0] != '.' && !str_ends(s, ".lock");
}

bool event_ref_is_valid(struct str ref)
{
	struct str rest = ref, component;

	if (!str_starts(ref, "refs/") || ref.len > REF_MAX_BYTES || str_has_control(ref) ||
	    !str_is_utf8(ref) || str_ends(ref, "."))
		return false;
	while (str_split(&rest, '/', &component))
		if (!is_ref_component(component))
			return false;
	for (size_t i = 0; i < ref.len; i++) {
		char next = i + 1 < ref.len ? ref.ptr[i + 1] : '\0';
		if (strchr(" ~^:?*[\\", ref.ptr[i]) || (ref.ptr[i] == '.' && next == '.') ||
		    (ref.ptr[i] == '@' && next == '{'))
			return false;
	}
	return true;
}

#include "model/event.h"

#include <stdlib.h>

#include "common/json.h"

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
	free(e->repository_id);
	free(e->title);
	free(e->pull.target);
	free(e->pull.source);
	*e = (struct event){ 0 };
}

void events_release(struct events *events)
{
	for (size_t i = 0; i < events->len; i++)
		event_release(&events->items[i]);
	free(events->items);
	*events = (struct events){ 0 };
}

void event_copy(struct event *to, const struct event *from)
{
	*to = *from;
	to->name = xstrdup(from->name);
	to->provider = xstrdup(from->provider);
	to->repository = xstrdup(from->repository);
	to->repository_url = xstrdup(from->repository_url);
	to->ref = xstrdup(from->ref);
	to->before = xstrdup(from->before);
	to->after = xstrdup(from->after);
	to->sender = xstrdup(from->sender);
	to->repository_id = xstrdup(from->repository_id);
	to->title = xstrdup(from->title);
	to->pull.target = xstrdup(from->pull.target);
	to->pull.source = xstrdup(from->pull.source);
}

struct event *events_add(struct events *events)
{
	events->items = xreallocarray(events->items, events->len + 1, sizeof *events->items);
	struct event *e = &events->items[events->len++];
	*e = (struct event){ 0 };
	return e;
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

bool event_commit_is_valid(struct str commit)
{
	if (commit.len != 40 && commit.len != 64)
		return false;
	for (size_t i = 0; i < commit.len; i++) {
		char c = commit.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

bool event_commit_is_zero(const char *commit)
{
	return strspn(commit, "0") == strlen(commit);
}

static bool contains_i(struct str text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.len; i++) {
		if (str_is_i(str_slice(text, i, i + n), word))
			return true;
	}
	return false;
}

bool event_message_skips(struct str message)
{
	static const char *const words[] = { "[skip ci]", "[ci skip]", "[no ci]", "[skip slipway]",
					     "***NO_CI***" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (contains_i(message, words[i]))
			return true;
	}
	return false;
}

/* ---- pull requests ---- */

static const char *const action_names[] = {
	[PULL_OPENED] = "opened", [PULL_REOPENED] = "reopened",     [PULL_UPDATED] = "updated",
	[PULL_READY] = "ready",   [PULL_RETARGETED] = "retargeted", [PULL_CLOSED] = "closed",
	[PULL_MERGED] = "merged", [PULL_OTHER] = "other",
};

const char *pull_action_name(enum pull_action action)
{
	return action_names[action];
}

int pull_action_parse(enum pull_action *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(action_names); i++) {
		if (strcmp(action_names[i], name) == 0) {
			*out = (enum pull_action)i;
			return 0;
		}
	}
	return -1;
}

/* ---- JSON ---- */

static json_t *pull_to_json(const struct pull_request *p)
{
	json_t *object = json_object();

	json_object_set_new(object, "number", json_integer(p->number));
	json_put_string(object, "action", pull_action_name(p->action));
	json_put_string(object, "target", p->target);
	json_put_string(object, "source", p->source);
	json_object_set_new(object, "draft", json_boolean(p->draft));
	json_object_set_new(object, "fork", json_boolean(p->fork));
	return object;
}

json_t *event_to_json(const struct event *e)
{
	const struct {
		const char *key;
		bool value;
	} flags[] = {
		{ "created", e->created },
		{ "deleted", e->deleted },
		{ "forced", e->forced },
		{ "skip", e->skip },
	};
	json_t *object = json_object();

	json_put_string(object, "ref", e->ref);
	json_put_string(object, "before", e->before);
	json_put_string(object, "after", e->after);
	json_put_string(object, "title", e->title);
	json_put_string(object, "repositoryId", e->repository_id);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (flags[i].value)
			json_object_set_new(object, flags[i].key, json_true());
	}
	if (e->kind == EVENT_PULL_REQUEST)
		json_object_set_new(object, "pullRequest", pull_to_json(&e->pull));
	return object;
}

static int take_string(char **out, const json_t *object, const char *key)
{
	const char *value = NULL;

	if (json_opt_string(object, "", key, &value, NULL) < 0)
		return -1;
	*out = xstrdup(value);
	return 0;
}

static int pull_from_json(struct pull_request *p, const json_t *object)
{
	const char *action = NULL;

	if (json_opt_int(object, "", "number", 0, INT64_MAX, &p->number, NULL) < 0 ||
	    json_need_string(object, "", "action", &action, NULL) < 0 ||
	    pull_action_parse(&p->action, action) < 0 ||
	    take_string(&p->target, object, "target") < 0 ||
	    take_string(&p->source, object, "source") < 0 ||
	    json_opt_bool(object, "", "draft", &p->draft, NULL) < 0 ||
	    json_opt_bool(object, "", "fork", &p->fork, NULL) < 0)
		return -1;
	return 0;
}

static int read_members(struct event *e, const json_t *object)
{
	json_t *pull = NULL;

	if (take_string(&e->ref, object, "ref") < 0 ||
	    take_string(&e->before, object, "before") < 0 ||
	    take_string(&e->after, object, "after") < 0 ||
	    take_string(&e->title, object, "title") < 0 ||
	    take_string(&e->repository_id, object, "repositoryId") < 0 ||
	    json_opt_bool(object, "", "created", &e->created, NULL) < 0 ||
	    json_opt_bool(object, "", "deleted", &e->deleted, NULL) < 0 ||
	    json_opt_bool(object, "", "forced", &e->forced, NULL) < 0 ||
	    json_opt_bool(object, "", "skip", &e->skip, NULL) < 0 ||
	    json_opt_object(object, "", "pullRequest", &pull, NULL) < 0)
		return -1;
	e->kind = pull ? EVENT_PULL_REQUEST : EVENT_PUSH;
	return pull ? pull_from_json(&e->pull, pull) : 0;
}

int event_from_json(struct event *out, const json_t *object)
{
	struct event e = { 0 };

	if (read_members(&e, object) < 0) {
		event_release(&e);
		return -1;
	}
	*out = e;
	return 0;
}

#include "model/delivery.h"

#include "common/json.h"

static void verdict_release(struct verdict *v)
{
	free(v->registry);
	free(v->task);
	free(v->reason);
	free(v->run_id);
	*v = (struct verdict){ 0 };
}

static void release_verdicts(struct delivery *d)
{
	for (size_t i = 0; i < d->verdicts_len; i++)
		verdict_release(&d->verdicts[i]);
	free(d->verdicts);
	d->verdicts = NULL;
	d->verdicts_len = 0;
}

void delivery_release(struct delivery *d)
{
	if (!d)
		return;
	release_verdicts(d);
	event_release(&d->event);
	events_release(&d->more);
	strvec_release(&d->runs);
	free(d->webhook);
	free(d->delivery_id);
	free(d->replay_of);
	*d = (struct delivery){ 0 };
}

size_t delivery_events_len(const struct delivery *d)
{
	return 1 + d->more.len;
}

const struct event *delivery_event(const struct delivery *d, size_t n)
{
	return n == 0 ? &d->event : &d->more.items[n - 1];
}

void delivery_take_events(struct delivery *d, struct events *events)
{
	d->event = events->items[0];
	d->more.len = events->len - 1;
	d->more.items = d->more.len
				? xmemdup(events->items + 1, d->more.len * sizeof *events->items)
				: NULL;
	free(events->items);
	*events = (struct events){ 0 };
}

static json_t *all_events(const struct delivery *d)
{
	json_t *array = json_array();

	for (size_t i = 0; i < delivery_events_len(d); i++)
		json_array_append_new(array, event_to_json(delivery_event(d, i)));
	return array;
}

json_t *delivery_events_to_json(const struct delivery *d)
{
	const struct event *e = &d->event;
	bool plain = e->kind != EVENT_PULL_REQUEST && !e->skip && !e->repository_id;

	return d->more.len == 0 && plain ? NULL : all_events(d);
}

/* The columns hold the rest of the first event. */
static int read_first(struct event *to, const json_t *object)
{
	struct event read;

	if (event_from_json(&read, object) < 0)
		return -1;
	free(to->title);
	free(to->repository_id);
	to->title = read.title;
	to->repository_id = read.repository_id;
	to->skip = read.skip;
	to->pull = read.pull;
	read.title = read.repository_id = NULL;
	read.pull = (struct pull_request){ 0 };
	event_release(&read);
	return 0;
}

/* One message tells of one repository, in one word, by one sender. */
static int read_other(struct event *to, const struct event *first, const json_t *object)
{
	if (event_from_json(to, object) < 0)
		return -1;
	to->name = xstrdup(first->name);
	to->provider = xstrdup(first->provider);
	to->repository = xstrdup(first->repository);
	to->repository_url = xstrdup(first->repository_url);
	to->sender = xstrdup(first->sender);
	return 0;
}

int delivery_events_from_json(struct delivery *d, const json_t *array)
{
	json_t *object;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) == 0)
		return -1;
	json_array_foreach (array, i, object) {
		if ((i == 0 ? read_first(&d->event, object)
			    : read_other(events_add(&d->more), &d->event, object)) < 0)
			return -1;
	}
	return 0;
}

struct verdict *delivery_add_verdict(struct delivery *d)
{
	d->verdicts = xreallocarray(d->verdicts, d->verdicts_len + 1, sizeof *d->verdicts);
	struct verdict *v = &d->verdicts[d->verdicts_len++];
	*v = (struct verdict){ 0 };
	return v;
}

json_t *delivery_verdicts_to_json(const struct delivery *d)
{
	json_t *array = json_array();

	for (size_t i = 0; i < d->verdicts_len; i++) {
		const struct verdict *v = &d->verdicts[i];
		json_t *object = json_object();
		json_put_string(object, "registry", v->registry);
		json_put_string(object, "task", v->task);
		json_object_set_new(object, "matched", json_boolean(v->matched));
		json_put_string(object, "reason", v->reason);
		json_put_string(object, "runId", v->run_id);
		if (d->more.len)
			json_put_string(object, "ref", delivery_event(d, v->event)->ref);
		if (v->event)
			json_object_set_new(object, "event", json_integer((json_int_t)v->event));
		json_array_append_new(array, object);
	}
	return array;
}

static int read_verdict(struct verdict *v, const json_t *object)
{
	const char *registry = NULL, *task = NULL, *reason = NULL, *run_id = NULL;
	int64_t event = 0;

	if (json_opt_string(object, "", "registry", &registry, NULL) < 0 ||
	    json_opt_string(object, "", "task", &task, NULL) < 0 ||
	    json_opt_bool(object, "", "matched", &v->matched, NULL) < 0 ||
	    json_opt_string(object, "", "reason", &reason, NULL) < 0 ||
	    json_opt_string(object, "", "runId", &run_id, NULL) < 0 ||
	    json_opt_int(object, "", "event", 0, DELIVERY_EVENTS_MAX, &event, NULL) < 0)
		return -1;
	v->event = (size_t)event;
	v->registry = xstrdup(registry);
	v->task = xstrdup(task);
	v->reason = xstrdup(reason);
	v->run_id = xstrdup(run_id);
	return 0;
}

int delivery_verdicts_from_json(struct delivery *d, const json_t *array)
{
	struct delivery fresh = { 0 };
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return -1;
	json_array_foreach (array, i, item) {
		if (read_verdict(delivery_add_verdict(&fresh), item) < 0) {
			delivery_release(&fresh);
			return -1;
		}
	}
	release_verdicts(d);
	d->verdicts = fresh.verdicts;
	d->verdicts_len = fresh.verdicts_len;
	return 0;
}

json_t *delivery_to_json(const struct delivery *d)
{
	json_t *object = json_object();
	json_t *runs = json_array();

	json_put_string(object, "deliveryId", d->delivery_id);
	json_put_string(object, "webhook", d->webhook);
	json_put_string(object, "replayOf", d->replay_of);
	json_put_string(object, "event", d->event.name);
	json_put_time(object, "receivedTime", d->received_ms);
	json_put_string(object, "repository", d->event.repository);
	json_put_string(object, "ref", d->event.ref);
	json_put_string(object, "before", d->event.before);
	json_put_string(object, "after", d->event.after);
	if (d->event.repository)
		json_object_set_new(object, "events", all_events(d));
	json_object_set_new(object, "verdicts", delivery_verdicts_to_json(d));
	STRVEC_FOREACH (id, &d->runs)
		json_array_append_new(runs, json_string(*id));
	json_object_set_new(object, "runs", runs);
	return object;
}

#include "tests/unit/webhooks/recorded.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/unit.h"
#include "tests/unit/webhooks/edit.h"

void recorded_body(struct buf *out, const char *name, const char *edits)
{
	cleanup_free char *path = xasprintf("%s/%s.json", FIXTURES, name);
	cleanup_json json_t *object = json_load_file(path, 0, NULL);

	if (!object)
		fail_msg("no JSON in %s", path);
	edit_json(object, str_from(edits));
	cleanup_free char *text = json_text(object);
	buf_adds(out, text);
}

static void add_push(struct buf *out, const struct event *e)
{
	buf_addf(out, "push %s %.7s..%.7s", e->ref, e->before, e->after);
}

static void add_pull(struct buf *out, const struct event *e)
{
	const struct pull_request *p = &e->pull;

	buf_addf(out, "pull request %lld %s: %s -> %s, %s at %.7s", (long long)p->number,
		 pull_action_name(p->action), p->source ? p->source : "nowhere", p->target, e->ref,
		 e->after ? e->after : "nothing");
}

static void add_event(struct buf *out, const struct event *e)
{
	const struct {
		bool is;
		const char *name;
	} flags[] = {
		{ e->created, "created" },  { e->deleted, "deleted" }, { e->skip, "skip" },
		{ e->pull.draft, "draft" }, { e->pull.fork, "fork" },
	};

	if (e->kind == EVENT_OTHER) {
		buf_addf(out, "other %s", e->name);
		return;
	}
	if (e->kind == EVENT_PUSH)
		add_push(out, e);
	else
		add_pull(out, e);
	buf_addf(out, " of %s by %s", e->repository, e->sender ? e->sender : "nobody");
	if (e->title)
		buf_addf(out, ": %s", e->title);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (flags[i].is)
			buf_addf(out, " (%s)", flags[i].name);
	}
}

char *recorded_says(const struct provider *provider, const struct saved_request *r)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct webhook_request view = saved_request_view(r);
	struct events events = { 0 };
	struct err err = { 0 };

	if (provider->parse(&events, &view, &err) < 0) {
		buf_addf(&out, "%s: %s", err.word, err.msg);
	} else {
		buf_adds(&out, "");
		for (size_t i = 0; i < events.len; i++) {
			buf_adds(&out, i ? "\n" : "");
			assert_string_equal(events.items[i].provider, provider->name);
			add_event(&out, &events.items[i]);
		}
	}
	events_release(&events);
	return xstrdup(out.ptr);
}

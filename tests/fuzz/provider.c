#include "tests/fuzz/provider.h"

#include "common/crypto.h"

static const char key[] = "key";

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_be_refused_well(const struct err *err)
{
	must(err->code != ERR_NONE && *err->word && *err->msg);
	must(!str_has_control(str_from(err->msg)) && str_is_utf8(str_from(err->msg)));
}

/* ---- events ---- */

static bool is_commit(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");
	return text[n] == '\0' && (n == 40 || n == 64);
}

static void check_push(const struct event *e)
{
	must(is_commit(e->before) && is_commit(e->after));
	must(e->deleted || strspn(e->after, "0") != strlen(e->after));
}

static void check_pull(const struct event *e)
{
	must(!e->before && e->pull.number >= 0);
	must(event_ref_is_valid(str_from(e->pull.target)));
	must(!e->pull.source || event_ref_is_valid(str_from(e->pull.source)));
	must(*pull_action_name(e->pull.action));
	/* The branch of one that starts nothing may be gone. */
	must(e->after ? is_commit(e->after) : e->pull.action > PULL_RETARGETED);
}

static void check_event(const struct event *e, const char *provider)
{
	bool is_pull = e->kind == EVENT_PULL_REQUEST;

	must(e->name && *e->name && strcmp(e->provider, provider) == 0);
	must(e->kind == EVENT_PUSH || is_pull || (!e->ref && !e->after && !e->repository));
	if (e->kind != EVENT_PUSH && !is_pull)
		return;
	must(event_ref_is_valid(str_from(e->ref)));
	must(strchr(e->repository, '/') && str_is_utf8(str_from(e->repository)));
	must(!str_has_control(str_from(e->repository)));
	if (is_pull)
		check_pull(e);
	else
		check_push(e);
}

static void check_parse(const struct provider *provider, const struct webhook_request *view)
{
	struct events events = { 0 };
	struct err err = { 0 };

	if (provider->parse(&events, view, &err) == 0) {
		must(events.len > 0);
		for (size_t i = 0; i < events.len; i++)
			check_event(&events.items[i], provider->name);
	} else {
		must_be_refused_well(&err);
	}
	events_release(&events);
}

/* ---- headers ---- */

struct str fuzz_header(const struct saved_request *r, const char *name)
{
	struct webhook_request view = saved_request_view(r);
	struct str value = STR("");

	view.header(view.http, name, &value);
	return value;
}

static void check_verify(const struct fuzz_provider *fuzz, const struct provider *provider,
			 const struct saved_request *r, const struct webhook_request *view)
{
	struct secret secret = { 0 };
	struct webhook w = { .provider = provider, .secrets = &secret, .secrets_len = 1 };
	struct err err = { 0 };

	secret_set(&secret, STR(key));
	if (provider->verify(&w, view, &err) == 0)
		must(fuzz->is_authentic(r, key));
	else
		must_be_refused_well(&err);
	secret_release(&secret);
}

static void check_delivery_id(const struct provider *provider, const struct webhook_request *view)
{
	struct buf id = BUF_INIT;
	struct err err = { 0 };

	if (provider->delivery_id(&id, view, &err) == 0)
		must(id.len >= 1 && id.len <= 128);
	else
		must_be_refused_well(&err);
	buf_release(&id);
}

void fuzz_provider(const struct fuzz_provider *fuzz, const uint8_t *data, size_t size)
{
	const struct provider *provider = provider_find(fuzz->name);
	struct str rest = { (const char *)data, size }, line;
	struct saved_request r = { 0 };

	for (const char *const *name = fuzz->headers; *name && str_split(&rest, '\n', &line);
	     name++) {
		char *value = str_dup(line);
		saved_request_header(&r, *name, value);
		free(value);
	}
	buf_addstr(&r.body, rest);
	struct webhook_request view = saved_request_view(&r);
	check_verify(fuzz, provider, &r, &view);
	check_delivery_id(provider, &view);
	check_parse(provider, &view);
	saved_request_release(&r);
}

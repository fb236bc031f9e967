/*
 * GitHub's provider. The input is the headers event, media type, signature and delivery id, a line
 * each, and the body. Whatever is read as a push or a pull request names a ref that git takes, a
 * commit, and a repository; whatever is refused has a word and a message that can be shown.
 */
#include "tests/fuzz/fuzz.h"

#include "common/crypto.h"
#include "tests/lib/saved_request.h"

static const char *const headers[] = { "X-GitHub-Event", "Content-Type", "X-Hub-Signature-256",
				       "X-GitHub-Delivery" };

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

static bool is_commit(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");
	return text[n] == '\0' && (n == 40 || n == 64);
}

static void check_push(const struct event *e)
{
	must(is_commit(e->before));
	must(e->deleted || strspn(e->after, "0") != strlen(e->after));
}

static void check_pull(const struct event *e)
{
	must(!e->before && e->pull.number >= 0);
	must(event_ref_is_valid(str_from(e->pull.target)));
	must(!e->pull.source || event_ref_is_valid(str_from(e->pull.source)));
	must(*pull_action_name(e->pull.action));
}

static void check_event(const struct event *e)
{
	bool is_pull = e->kind == EVENT_PULL_REQUEST;

	must(e->name && *e->name && strcmp(e->provider, "github") == 0);
	must(e->kind == EVENT_PUSH || is_pull || (!e->ref && !e->after && !e->repository));
	if (e->kind != EVENT_PUSH && !is_pull)
		return;
	must(event_ref_is_valid(str_from(e->ref)) && is_commit(e->after));
	must(strchr(e->repository, '/') && str_is_utf8(str_from(e->repository)));
	must(!str_has_control(str_from(e->repository)));
	if (is_pull)
		check_pull(e);
	else
		check_push(e);
}

static void check_signature(const struct saved_request *r, const struct webhook_request *view)
{
	struct secret secret = { 0 };
	struct webhook w = { .provider = provider_find("github"),
			     .secrets = &secret,
			     .secrets_len = 1 };
	struct err err = { 0 };
	struct str given = { 0 };

	secret_set(&secret, STR("key"));
	char *right = saved_request_signature(r, "key");
	view->header(view->http, "X-Hub-Signature-256", &given);
	if (w.provider->verify(&w, view, &err) == 0)
		must(str_is_i(given, right));
	else
		must_be_refused_well(&err);
	free(right);
	secret_release(&secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, line;
	struct buf id = BUF_INIT;
	struct saved_request r = { 0 };
	struct err err = { 0 };
	struct events events = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(headers) && str_split(&rest, '\n', &line); i++) {
		char *value = str_dup(line);
		saved_request_header(&r, headers[i], value);
		free(value);
	}
	buf_addstr(&r.body, rest);
	struct webhook_request view = saved_request_view(&r);
	const struct provider *github = provider_find("github");

	check_signature(&r, &view);
	if (github->delivery_id(&id, &view, &err) == 0)
		must(id.len >= 1 && id.len <= 128);
	else
		must_be_refused_well(&err);
	if (github->parse(&events, &view, &err) == 0) {
		for (size_t i = 0; i < events.len; i++)
			check_event(&events.items[i]);
	} else {
		must_be_refused_well(&err);
	}
	events_release(&events);
	buf_release(&id);
	saved_request_release(&r);
	return 0;
}

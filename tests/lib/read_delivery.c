/*
 * read_delivery: says what GitHub's deliveries on standard input mean, for tests that have real
 * ones. Each is a line "EVENT LENGTH" and that many bytes of body; each gets a line of JSON:
 *
 *   {"kind":"push","ref":…,"before":…,"after":…,"url":…,"repository":…,"sender":…,
 *    "created":…,"deleted":…,"forced":…}      or {"word":…,"message":…}
 *
 * Of a pull request there is "pull" as well, as event_to_json() has it.
 *
 * The body is signed and verified on the way, once as JSON and once as a form; both must agree.
 */
#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "tests/lib/saved_request.h"

static const char secret_text[] = "0123456789abcdef";

static int read_events(struct events *out, const char *name, struct str body, bool form,
		       struct err *err)
{
	struct secret secret = { 0 };
	struct webhook webhook = { .provider = provider_find("github"),
				   .secrets = &secret,
				   .secrets_len = 1 };
	struct saved_request r = { 0 };

	secret_set(&secret, STR(secret_text));
	if (form) {
		buf_adds(&r.body, "payload=");
		percent_encode(&r.body, body);
	} else {
		buf_addstr(&r.body, body);
	}
	saved_request_header(&r, "X-GitHub-Event", name);
	saved_request_header(&r, "Content-Type",
			     form ? "application/x-www-form-urlencoded" : "application/json");
	saved_request_sign(&r, secret_text);
	struct webhook_request view = saved_request_view(&r);
	int rc = webhook.provider->verify(&webhook, &view, err);
	if (rc == 0)
		rc = webhook.provider->parse(out, &view, err);
	saved_request_release(&r);
	secret_release(&secret);
	return rc;
}

static char *describe(const char *name, struct str body, bool form)
{
	static const char *const kinds[] = { [EVENT_PUSH] = "push",
					     [EVENT_PING] = "ping",
					     [EVENT_OTHER] = "other",
					     [EVENT_PULL_REQUEST] = "pull_request" };
	cleanup_json json_t *object = json_object();
	struct events events = { 0 };
	struct err err = { 0 };

	if (read_events(&events, name, body, form, &err) < 0) {
		events_release(&events);
		json_put_string(object, "word", err.word);
		json_put_string(object, "message", err.msg);
		return json_text(object);
	}
	const struct event e = events.items[0];
	json_put_string(object, "kind", kinds[e.kind]);
	json_put_string(object, "ref", e.ref);
	json_put_string(object, "before", e.before);
	json_put_string(object, "after", e.after);
	json_put_string(object, "url", e.repository_url);
	json_put_string(object, "repository", e.repository);
	json_put_string(object, "sender", e.sender);
	json_object_set_new(object, "created", json_boolean(e.created));
	json_object_set_new(object, "deleted", json_boolean(e.deleted));
	json_object_set_new(object, "forced", json_boolean(e.forced));
	if (e.kind == EVENT_PULL_REQUEST) {
		cleanup_json json_t *whole = event_to_json(&e);
		json_object_set(object, "pull", json_object_get(whole, "pullRequest"));
	}
	events_release(&events);
	return json_text(object);
}

int main(void)
{
	char name[100];
	size_t len;

	while (scanf("%99s %zu", name, &len) == 2 && getchar() == '\n') {
		cleanup_free char *body = xmalloc(len + 1);
		if (fread(body, 1, len, stdin) != len)
			return 1;
		cleanup_free char *plain = describe(name, (struct str){ body, len }, false);
		cleanup_free char *form = describe(name, (struct str){ body, len }, true);
		puts(strcmp(plain, form) == 0 ? plain : "{\"word\":\"differs\"}");
	}
	return 0;
}

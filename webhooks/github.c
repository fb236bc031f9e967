#include "webhooks/github.h"

#include "common/json_scan.h"
#include "common/scope.h"
#include "webhooks/github_pull.h"
#include "webhooks/payload.h"

static int github_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	return payload_verify_hmac(w, r, "X-Hub-Signature-256", "sha256=", err);
}

static int github_delivery_id(struct buf *out, const struct webhook_request *r, struct err *err)
{
	return payload_delivery_id(out, r, "X-GitHub-Delivery", err);
}

/* ---- push ---- */

enum field {
	REF,
	BEFORE,
	AFTER,
	CREATED,
	DELETED,
	FORCED,
	REPOSITORY,
	CLONE_URL,
	HTML_URL,
	SENDER,
	PUSHER,
	MESSAGE,
	FIELDS,
};

static const char *const paths[FIELDS] = {
	[REF] = "ref",
	[BEFORE] = "before",
	[AFTER] = "after",
	[CREATED] = "created",
	[DELETED] = "deleted",
	[FORCED] = "forced",
	[REPOSITORY] = "repository",
	[CLONE_URL] = "repository.clone_url",
	[HTML_URL] = "repository.html_url",
	[SENDER] = "sender.login",
	[PUSHER] = "pusher.name",
	[MESSAGE] = "head_commit.message",
};

static int take_repository(struct event *event, const struct json_want *wants, struct err *err)
{
	const struct json_want *url = &wants[CLONE_URL];

	if (wants[REPOSITORY].kind != JSON_WANT_OBJECT)
		return err_set(err, ERR_INVALID, "bad_payload", "repository: want an object");
	if (url->kind == JSON_WANT_ABSENT)
		url = &wants[HTML_URL];
	return payload_need_repository(event, url, err);
}

static int take_push(struct event *event, const struct json_want *wants, struct err *err)
{
	event->kind = EVENT_PUSH;
	if (payload_need_ref(&event->ref, &wants[REF], err) < 0 ||
	    take_repository(event, wants, err) < 0 ||
	    payload_need_commit(&event->before, &wants[BEFORE], err) < 0 ||
	    payload_need_commit(&event->after, &wants[AFTER], err) < 0 ||
	    payload_opt_bool(&event->created, &wants[CREATED], err) < 0 ||
	    payload_opt_bool(&event->deleted, &wants[DELETED], err) < 0 ||
	    payload_opt_bool(&event->forced, &wants[FORCED], err) < 0)
		return -1;
	/* The zeros are what git says; the flags are what GitHub says on top. */
	event->deleted = event->deleted || event_commit_is_zero(event->after);
	event->created = event->created || event_commit_is_zero(event->before);
	payload_take_sender(event, &wants[SENDER]);
	payload_take_sender(event, &wants[PUSHER]);
	payload_take_message(event, &wants[MESSAGE]);
	return 0;
}

static int read_push(struct event *event, struct str payload, struct err *err)
{
	struct json_want wants[FIELDS] = { 0 };

	for (size_t i = 0; i < FIELDS; i++)
		wants[i].path = paths[i];
	int rc = json_scan(payload, wants, FIELDS, NULL, err);
	if (rc == 0)
		rc = take_push(event, wants, err);
	json_wants_release(wants, FIELDS);
	return rc;
}

/* ---- the events ---- */

static const struct {
	const char *name;
	int (*read)(struct event *event, struct str payload, struct err *err);
} readers[] = {
	{ "push", read_push },
	{ "pull_request", github_read_pull },
	{ "merge_group", github_read_merge_group },
};

static int read_event(struct event *event, struct str payload, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (strcmp(event->name, readers[i].name) == 0)
			return readers[i].read(event, payload, err);
	}
	/* Also what does not interest us must be whole: a broken body is said to be broken. */
	return json_scan(payload, NULL, 0, NULL, err);
}

static int github_parse(struct events *out, const struct webhook_request *r, struct err *err)
{
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str name, payload;

	if (payload_need_event(&name, r, "X-GitHub-Event", err) < 0 ||
	    payload_json(&payload, &decoded, r, err) < 0)
		return -1;

	struct event *event = events_add(out);
	event->kind = str_is(name, "ping") ? EVENT_PING : EVENT_OTHER;
	event->name = str_dup(name);
	event->provider = xstrdup("github");
	return read_event(event, payload, err);
}

const struct provider provider_github = {
	.name = "github",
	.event_header = "X-GitHub-Event",
	.verify = github_verify,
	.delivery_id = github_delivery_id,
	.parse = github_parse,
};

#include "webhooks/gitlab.h"

#include "common/scope.h"
#include "webhooks/payload.h"
#include "webhooks/standard.h"

static int gitlab_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	/* With a signing token and a secret token it sends both; the signature is worth more. */
	if (standard_is_signed(r))
		return standard_verify(w, r, err);
	return payload_verify_token(w, r, "X-Gitlab-Token", err);
}

/*
 * The first is signed; the key, which has the same value, came with GitLab 17.4, the event's id
 * with 14.8. All stay the same over retries.
 */
static int gitlab_delivery_id(struct buf *out, const struct webhook_request *r, struct err *err)
{
	static const char *const headers[] = { "webhook-id", "Idempotency-Key",
					       "X-Gitlab-Event-UUID", NULL };
	const char *header = payload_first_header(r, headers);

	if (payload_has_header(r, header))
		return payload_delivery_id(out, r, header, err);
	payload_delivery_id_of_body(out, r);
	return 0;
}

/* ---- what was sent ---- */

enum field {
	EVENT_NAME,
	OBJECT_KIND,
	REF,
	BEFORE,
	AFTER,
	COMMITS,
	PUSHER,
	GIT_URL,
	SENDER,
	NUMBER,
	ACTION,
	OLD_COMMIT,
	DRAFT,
	WORK_IN_PROGRESS,
	SOURCE,
	TARGET,
	SOURCE_PROJECT,
	TARGET_PROJECT,
	LAST_COMMIT,
	LAST_COMMIT_ID,
	WAS_DRAFT,
	OLD_TITLE,
	OLD_TARGET,
	FIELDS,
};

static const char *const paths[FIELDS] = {
	[EVENT_NAME] = "event_name",
	[OBJECT_KIND] = "object_kind",
	[REF] = "ref",
	[BEFORE] = "before",
	[AFTER] = "after",
	[COMMITS] = "commits",
	[PUSHER] = "user_username",
	[GIT_URL] = "project.git_http_url",
	[SENDER] = "user.username",
	[NUMBER] = "object_attributes.iid",
	[ACTION] = "object_attributes.action",
	[OLD_COMMIT] = "object_attributes.oldrev",
	[DRAFT] = "object_attributes.draft",
	[WORK_IN_PROGRESS] = "object_attributes.work_in_progress",
	[SOURCE] = "object_attributes.source_branch",
	[TARGET] = "object_attributes.target_branch",
	[SOURCE_PROJECT] = "object_attributes.source_project_id",
	[TARGET_PROJECT] = "object_attributes.target_project_id",
	[LAST_COMMIT] = "object_attributes.last_commit",
	[LAST_COMMIT_ID] = "object_attributes.last_commit.id",
	[WAS_DRAFT] = "changes.draft.previous",
	[OLD_TITLE] = "changes.title.previous",
	[OLD_TARGET] = "changes.target_branch",
};

/* ---- pushes ---- */

/* 1: the element is the commit `id`, or any when that is NULL, and its message was taken. */
static int take_commit(struct event *event, struct str element, const char *id, struct err *err)
{
	enum { ID, MESSAGE, MEMBERS };
	struct json_want wants[MEMBERS] = {
		[ID] = { .path = "id" }, [MESSAGE] = { .path = "message" }
	};

	if (!str_starts(element, "{"))
		return 0;
	int rc = json_scan(element, wants, MEMBERS, NULL, err);
	if (rc == 0 && (!id || str_is(wants[ID].value, id))) {
		payload_take_message(event, &wants[MESSAGE]);
		rc = 1;
	}
	json_wants_release(wants, MEMBERS);
	return rc;
}

/* The newest commit is that of the push; a tag with a message is none, so the last one counts. */
static int take_message(struct event *event, const struct json_want *commits, struct err *err)
{
	struct str rest = commits->value, element, last = STR("");
	int rc = 0;

	if (commits->kind != JSON_WANT_ARRAY)
		return 0;
	while (rc == 0 && json_array_next(&rest, &element)) {
		rc = take_commit(event, element, event->after, err);
		last = element;
	}
	if (rc == 0)
		rc = take_commit(event, last, NULL, err);
	return rc < 0 ? -1 : 0;
}

static int read_push(struct event *event, const struct json_want *wants, struct err *err)
{
	event->kind = EVENT_PUSH;
	if (payload_need_ref(&event->ref, &wants[REF], err) < 0 ||
	    payload_need_repository(event, &wants[GIT_URL], err) < 0 ||
	    payload_need_commit(&event->before, &wants[BEFORE], err) < 0 ||
	    payload_need_commit(&event->after, &wants[AFTER], err) < 0)
		return -1;
	event->created = event_commit_is_zero(event->before);
	event->deleted = event_commit_is_zero(event->after);
	payload_take_sender(event, &wants[PUSHER]);
	return take_message(event, &wants[COMMITS], err);
}

/* ---- merge requests ---- */

static const struct {
	const char *word;
	enum pull_action action;
} actions[] = {
	{ "open", PULL_OPENED },
	{ "reopen", PULL_REOPENED },
	{ "close", PULL_CLOSED },
	{ "merge", PULL_MERGED },
};

/* An update tells what it was by what it changed; `oldrev` is there when the commits did. */
static enum pull_action action_of_update(const struct pull_request *pull,
					 const struct json_want *wants)
{
	bool was_draft = wants[WAS_DRAFT].kind == JSON_WANT_TRUE ||
			 payload_title_is_draft(&wants[OLD_TITLE]);

	if (!payload_is_absent(&wants[OLD_COMMIT]))
		return PULL_UPDATED;
	if (was_draft && !pull->draft)
		return PULL_READY;
	if (!payload_is_absent(&wants[OLD_TARGET]))
		return PULL_RETARGETED;
	return PULL_OTHER;
}

static int take_action(struct pull_request *pull, const struct json_want *wants, struct err *err)
{
	struct str word = wants[ACTION].value;

	if (payload_need_string(&wants[ACTION], PAYLOAD_NAME_MAX, err) < 0)
		return -1;
	pull->action = str_is(word, "update") ? action_of_update(pull, wants) : PULL_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (str_is(word, actions[i].word))
			pull->action = actions[i].action;
	}
	/* A source branch without commits of its own: there is nothing to build. */
	if (wants[LAST_COMMIT].kind == JSON_WANT_NULL && pull->action <= PULL_RETARGETED)
		pull->action = PULL_OTHER;
	return 0;
}

/* Old releases have the old name only, newer ones both. */
static int take_draft(struct pull_request *pull, const struct json_want *wants, struct err *err)
{
	const struct json_want *draft = &wants[DRAFT];

	return payload_opt_bool(&pull->draft,
				payload_is_absent(draft) ? &wants[WORK_IN_PROGRESS] : draft, err);
}

/* The source's project is null when it is gone: then nobody knows. */
static bool comes_from_fork(const struct json_want *source, const struct json_want *target)
{
	return source->kind != JSON_WANT_NUMBER || target->kind != JSON_WANT_NUMBER ||
	       !str_eq(source->value, target->value);
}

static int read_merge_request(struct event *event, const struct json_want *wants, struct err *err)
{
	struct pull_request *pull = &event->pull;

	event->kind = EVENT_PULL_REQUEST;
	if (payload_need_number(&pull->number, &wants[NUMBER], err) < 0 ||
	    payload_need_repository(event, &wants[GIT_URL], err) < 0 ||
	    payload_need_branch(&pull->target, &wants[TARGET], err) < 0 ||
	    payload_need_branch(&pull->source, &wants[SOURCE], err) < 0 ||
	    take_draft(pull, wants, err) < 0 || take_action(pull, wants, err) < 0 ||
	    payload_take_tip(event, &wants[LAST_COMMIT_ID], err) < 0)
		return -1;
	pull->fork = comes_from_fork(&wants[SOURCE_PROJECT], &wants[TARGET_PROJECT]);
	event->ref = xasprintf("refs/merge-requests/%lld/head", (long long)pull->number);
	payload_take_sender(event, &wants[SENDER]);
	return 0;
}

/* ---- events ---- */

/* `header` is the event in X-Gitlab-Event, `word` the same event in the body of a system hook. */
static const struct {
	const char *header, *word;
	int (*read)(struct event *event, const struct json_want *wants, struct err *err);
} readers[] = {
	{ "Push Hook", "push", read_push },
	{ "Tag Push Hook", "tag_push", read_push },
	{ "Merge Request Hook", "merge_request", read_merge_request },
};

/* What a system hook tells of becomes the name of its event. */
static void take_word(struct event *event, const struct json_want *wants)
{
	const struct json_want *word = &wants[EVENT_NAME];

	if (payload_is_absent(word))
		word = &wants[OBJECT_KIND];
	if (payload_need_string(word, PAYLOAD_NAME_MAX, NULL) < 0 || str_has_control(word->value))
		return;
	free(event->name);
	event->name = str_dup(word->value);
}

static int read_event(struct event *event, const struct json_want *wants, struct err *err)
{
	bool system_hook = strcmp(event->name, "System Hook") == 0;

	if (system_hook)
		take_word(event, wants);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (strcmp(event->name, system_hook ? readers[i].word : readers[i].header) == 0)
			return readers[i].read(event, wants, err);
	}
	return 0;
}

static int gitlab_parse(struct events *out, const struct webhook_request *r, struct err *err)
{
	struct json_want wants[FIELDS] = { 0 };
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str name, payload;

	if (payload_need_event(&name, r, "X-Gitlab-Event", err) < 0 ||
	    payload_json(&payload, &decoded, r, err) < 0)
		return -1;

	struct event *event = events_add(out);
	event->kind = EVENT_OTHER;
	event->name = str_dup(name);
	event->provider = xstrdup("gitlab");
	for (size_t i = 0; i < FIELDS; i++)
		wants[i].path = paths[i];
	int rc = json_scan(payload, wants, FIELDS, NULL, err);
	if (rc == 0)
		rc = read_event(event, wants, err);
	json_wants_release(wants, FIELDS);
	return rc;
}

const struct provider provider_gitlab = {
	.name = "gitlab",
	.event_header = "X-Gitlab-Event",
	.verify = gitlab_verify,
	.delivery_id = gitlab_delivery_id,
	.parse = gitlab_parse,
};

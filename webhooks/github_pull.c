#include "webhooks/github_pull.h"

#include "common/json_scan.h"
#include "webhooks/payload.h"

/* ---- pull_request ---- */

enum pull_field {
	PULL_ACTION,
	PULL_NUMBER,
	PULL_MERGED_FLAG,
	PULL_DRAFT,
	PULL_HEAD_SHA,
	PULL_HEAD_REF,
	PULL_HEAD_REPO,
	PULL_BASE_REF,
	PULL_BASE_REPO,
	PULL_CHANGED_BASE,
	PULL_CLONE_URL,
	PULL_SENDER,
	PULL_FIELDS,
};

static const char *const pull_paths[PULL_FIELDS] = {
	[PULL_ACTION] = "action",
	[PULL_NUMBER] = "pull_request.number",
	[PULL_MERGED_FLAG] = "pull_request.merged",
	[PULL_DRAFT] = "pull_request.draft",
	[PULL_HEAD_SHA] = "pull_request.head.sha",
	[PULL_HEAD_REF] = "pull_request.head.ref",
	[PULL_HEAD_REPO] = "pull_request.head.repo.id",
	[PULL_BASE_REF] = "pull_request.base.ref",
	[PULL_BASE_REPO] = "pull_request.base.repo.id",
	[PULL_CHANGED_BASE] = "changes.base",
	[PULL_CLONE_URL] = "repository.clone_url",
	[PULL_SENDER] = "sender.login",
};

static const struct {
	const char *word;
	enum pull_action action;
} actions[] = {
	{ "opened", PULL_OPENED },       { "reopened", PULL_REOPENED },
	{ "synchronize", PULL_UPDATED }, { "ready_for_review", PULL_READY },
	{ "edited", PULL_RETARGETED },   { "closed", PULL_CLOSED },
};

static enum pull_action action_of(const struct json_want *wants)
{
	enum pull_action action = PULL_OTHER;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (str_is(wants[PULL_ACTION].value, actions[i].word))
			action = actions[i].action;
	}
	if (action == PULL_CLOSED && wants[PULL_MERGED_FLAG].kind == JSON_WANT_TRUE)
		return PULL_MERGED;
	/* A new title is an edit as well. */
	if (action == PULL_RETARGETED && payload_is_absent(&wants[PULL_CHANGED_BASE]))
		return PULL_OTHER;
	return action;
}

/* The head's repository is null once the fork is gone. */
static bool is_fork(const struct json_want *wants)
{
	const struct json_want *head = &wants[PULL_HEAD_REPO], *base = &wants[PULL_BASE_REPO];

	return head->kind != JSON_WANT_NUMBER || base->kind != JSON_WANT_NUMBER ||
	       !str_eq(head->value, base->value);
}

static int take_pull(struct event *event, const struct json_want *wants, struct err *err)
{
	struct pull_request *pull = &event->pull;

	event->kind = EVENT_PULL_REQUEST;
	if (payload_need_string(&wants[PULL_ACTION], PAYLOAD_NAME_MAX, err) < 0 ||
	    payload_need_number(&pull->number, &wants[PULL_NUMBER], err) < 0 ||
	    payload_need_commit(&event->after, &wants[PULL_HEAD_SHA], err) < 0 ||
	    payload_need_branch(&pull->source, &wants[PULL_HEAD_REF], err) < 0 ||
	    payload_need_branch(&pull->target, &wants[PULL_BASE_REF], err) < 0 ||
	    payload_opt_bool(&pull->draft, &wants[PULL_DRAFT], err) < 0 ||
	    payload_need_repository(event, &wants[PULL_CLONE_URL], err) < 0)
		return -1;
	event->ref = xasprintf("refs/pull/%lld/head", (long long)pull->number);
	pull->action = action_of(wants);
	pull->fork = is_fork(wants);
	payload_take_sender(event, &wants[PULL_SENDER]);
	return 0;
}

/* ---- merge_group ---- */

enum group_field {
	GROUP_ACTION,
	GROUP_SHA,
	GROUP_REF,
	GROUP_BASE_REF,
	GROUP_CLONE_URL,
	GROUP_SENDER,
	GROUP_FIELDS,
};

static const char *const group_paths[GROUP_FIELDS] = {
	[GROUP_ACTION] = "action",
	[GROUP_SHA] = "merge_group.head_sha",
	[GROUP_REF] = "merge_group.head_ref",
	[GROUP_BASE_REF] = "merge_group.base_ref",
	[GROUP_CLONE_URL] = "repository.clone_url",
	[GROUP_SENDER] = "sender.login",
};

/* 104 for refs/heads/gh-readonly-queue/main/pr-104-929f8209…; 0 for another name. */
static int64_t number_of_group(const char *ref)
{
	static const char prefix[] = "pr-";
	struct str name = str_from(strrchr(ref, '/') + 1);
	uint64_t number = 0;

	if (!str_starts(name, prefix))
		return 0;
	name = str_after(name, strlen(prefix));
	return str_to_u64(str_slice(name, 0, str_find(name, '-', 0)), INT64_MAX, &number)
		       ? (int64_t)number
		       : 0;
}

static int take_group(struct event *event, const struct json_want *wants, struct err *err)
{
	struct pull_request *pull = &event->pull;

	if (payload_need_string(&wants[GROUP_ACTION], PAYLOAD_NAME_MAX, err) < 0)
		return -1;
	if (!str_is(wants[GROUP_ACTION].value, "checks_requested"))
		return 0;
	event->kind = EVENT_PULL_REQUEST;
	if (payload_need_commit(&event->after, &wants[GROUP_SHA], err) < 0 ||
	    payload_need_ref(&event->ref, &wants[GROUP_REF], err) < 0 ||
	    payload_need_ref(&pull->target, &wants[GROUP_BASE_REF], err) < 0 ||
	    payload_need_repository(event, &wants[GROUP_CLONE_URL], err) < 0)
		return -1;
	pull->number = number_of_group(event->ref);
	pull->action = PULL_UPDATED;
	payload_take_sender(event, &wants[GROUP_SENDER]);
	return 0;
}

/* ---- both ---- */

static int scan(struct event *event, struct str payload, struct json_want *wants,
		const char *const *paths, size_t n,
		int (*take)(struct event *, const struct json_want *, struct err *),
		struct err *err)
{
	for (size_t i = 0; i < n; i++)
		wants[i].path = paths[i];
	int rc = json_scan(payload, wants, n, NULL, err);
	if (rc == 0)
		rc = take(event, wants, err);
	json_wants_release(wants, n);
	return rc;
}

int github_read_pull(struct event *event, struct str payload, struct err *err)
{
	struct json_want wants[PULL_FIELDS] = { 0 };

	return scan(event, payload, wants, pull_paths, PULL_FIELDS, take_pull, err);
}

int github_read_merge_group(struct event *event, struct str payload, struct err *err)
{
	struct json_want wants[GROUP_FIELDS] = { 0 };

	return scan(event, payload, wants, group_paths, GROUP_FIELDS, take_group, err);
}

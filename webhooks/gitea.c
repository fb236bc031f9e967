#include "webhooks/gitea.h"

#include "common/scope.h"
#include "webhooks/payload.h"

static const char *const delivery_headers[] = { "X-Gitea-Delivery", "X-Forgejo-Delivery",
						"X-Gogs-Delivery", NULL };
static const char *const event_headers[] = { "X-Gitea-Event", "X-Forgejo-Event", NULL };

/* ---- authenticity ---- */

struct proof {
	const char *header, *prefix;
};

static const struct proof proofs[] = {
	{ "X-Gitea-Signature", "" },
	{ "X-Forgejo-Signature", "" },
	{ "X-Hub-Signature-256", "sha256=" },
};

/* The one that came; a webhook without a secret sends them all, with nothing in them. */
static const struct proof *find_proof(const struct webhook_request *r)
{
	struct str value;

	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		if (r->header(r->http, proofs[i].header, &value) && value.len &&
		    !str_is(value, proofs[i].prefix))
			return &proofs[i];
	}
	return NULL;
}

/*
 * Gitea signs the JSON also when it sends it as a field of a form. Taking the field out is all that
 * is done with a body before it is known to be authentic.
 */
static int verify_form(const struct webhook *w, const struct webhook_request *r,
		       const struct proof *proof, struct err *err)
{
	cleanup_buf struct buf decoded = BUF_INIT;
	struct webhook_request inner = *r;
	struct err ignored = { 0 };

	if (payload_json(&inner.body, &decoded, r, &ignored) < 0 || inner.body.ptr == r->body.ptr)
		return -1;
	return payload_verify_hmac(w, &inner, proof->header, proof->prefix, err);
}

static int gitea_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	const struct proof *proof = find_proof(r);

	if (!proof)
		return err_set(err, ERR_DENIED, "signature_missing",
			       "the header X-Gitea-Signature is missing or empty: give the webhook "
			       "a secret where it is sent from");
	if (payload_verify_hmac(w, r, proof->header, proof->prefix, err) == 0)
		return 0;
	return err_is(err, "signature_mismatch") ? verify_form(w, r, proof, err) : -1;
}

static int gitea_delivery_id(struct buf *out, const struct webhook_request *r, struct err *err)
{
	return payload_delivery_id(out, r, payload_first_header(r, delivery_headers), err);
}

/* ---- what was sent ---- */

enum field {
	REF,
	BEFORE,
	AFTER,
	CLONE_URL,
	SENDER,
	PUSHER,
	MESSAGE,
	ACTION,
	NUMBER,
	TITLE,
	DRAFT,
	MERGED,
	HEAD_SHA,
	HEAD_REF,
	HEAD_REPO_ID,
	HEAD_REPO,
	BASE_REF,
	BASE_REPO_ID,
	BASE_REPO,
	OLD_TITLE,
	OLD_REF,
	OLD_BASE,
	FIELDS,
};

static const char *const paths[FIELDS] = {
	[REF] = "ref",
	[BEFORE] = "before",
	[AFTER] = "after",
	[CLONE_URL] = "repository.clone_url",
	[SENDER] = "sender.login",
	[PUSHER] = "pusher.login",
	[MESSAGE] = "head_commit.message",
	[ACTION] = "action",
	[NUMBER] = "pull_request.number",
	[TITLE] = "pull_request.title",
	[DRAFT] = "pull_request.draft",
	[MERGED] = "pull_request.merged",
	[HEAD_SHA] = "pull_request.head.sha",
	[HEAD_REF] = "pull_request.head.ref",
	[HEAD_REPO_ID] = "pull_request.head.repo_id",
	[HEAD_REPO] = "pull_request.head.repo.id",
	[BASE_REF] = "pull_request.base.ref",
	[BASE_REPO_ID] = "pull_request.base.repo_id",
	[BASE_REPO] = "pull_request.base.repo.id",
	[OLD_TITLE] = "changes.title.from",
	[OLD_REF] = "changes.ref.from",
	[OLD_BASE] = "changes.base",
};

static int read_push(struct event *event, const struct json_want *wants, struct err *err)
{
	event->kind = EVENT_PUSH;
	if (payload_need_ref(&event->ref, &wants[REF], err) < 0 ||
	    payload_need_repository(event, &wants[CLONE_URL], err) < 0 ||
	    payload_need_commit(&event->before, &wants[BEFORE], err) < 0 ||
	    payload_need_commit(&event->after, &wants[AFTER], err) < 0)
		return -1;
	event->created = event_commit_is_zero(event->before);
	event->deleted = event_commit_is_zero(event->after);
	payload_take_sender(event, &wants[SENDER]);
	payload_take_sender(event, &wants[PUSHER]);
	payload_take_message(event, &wants[MESSAGE]);
	return 0;
}

/* ---- pull requests ---- */

static const struct {
	const char *word;
	enum pull_action action;
} actions[] = {
	{ "opened", PULL_OPENED },
	{ "reopened", PULL_REOPENED },
	{ "synchronized", PULL_UPDATED },
	{ "closed", PULL_CLOSED },
};

/* A draft is known by its title; the flag is there since Gitea 1.22. */
static int take_draft(struct pull_request *pull, const struct json_want *wants, struct err *err)
{
	if (!payload_is_absent(&wants[DRAFT]))
		return payload_opt_bool(&pull->draft, &wants[DRAFT], err);
	pull->draft = payload_title_is_draft(&wants[TITLE]);
	return 0;
}

static enum pull_action action_of_edit(const struct pull_request *pull,
				       const struct json_want *wants)
{
	if (!payload_is_absent(&wants[OLD_REF]) || !payload_is_absent(&wants[OLD_BASE]))
		return PULL_RETARGETED;
	if (payload_title_is_draft(&wants[OLD_TITLE]) && !pull->draft)
		return PULL_READY;
	return PULL_OTHER;
}

static int take_action(struct pull_request *pull, const struct json_want *wants, struct err *err)
{
	struct str word = wants[ACTION].value;
	bool merged = false;

	if (payload_need_string(&wants[ACTION], PAYLOAD_NAME_MAX, err) < 0 ||
	    payload_opt_bool(&merged, &wants[MERGED], err) < 0)
		return -1;
	pull->action = str_is(word, "edited") ? action_of_edit(pull, wants) : PULL_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (str_is(word, actions[i].word))
			pull->action = actions[i].action;
	}
	if (pull->action == PULL_CLOSED && merged)
		pull->action = PULL_MERGED;
	return 0;
}

static bool is_same_number(const struct json_want *a, const struct json_want *b)
{
	return a->kind == JSON_WANT_NUMBER && b->kind == JSON_WANT_NUMBER &&
	       str_eq(a->value, b->value);
}

/* The head's repository is -1 and null when it is gone: then nobody knows. */
static bool comes_from_fork(const struct json_want *wants)
{
	if (!payload_is_absent(&wants[HEAD_REPO_ID]))
		return !is_same_number(&wants[HEAD_REPO_ID], &wants[BASE_REPO_ID]);
	return !is_same_number(&wants[HEAD_REPO], &wants[BASE_REPO]);
}

/* Its branch; of one that was pushed without any (AGit), or whose branch is gone, its own ref. */
static int take_source(struct pull_request *pull, const struct json_want *head, struct err *err)
{
	if (payload_is_absent(head))
		return 0;
	if (head->kind == JSON_WANT_STRING && str_starts(head->value, "refs/"))
		return payload_need_ref(&pull->source, head, err);
	return payload_need_branch(&pull->source, head, err);
}

static int read_pull(struct event *event, const struct json_want *wants, struct err *err)
{
	struct pull_request *pull = &event->pull;

	event->kind = EVENT_PULL_REQUEST;
	if (payload_need_number(&pull->number, &wants[NUMBER], err) < 0 ||
	    payload_need_repository(event, &wants[CLONE_URL], err) < 0 ||
	    payload_need_branch(&pull->target, &wants[BASE_REF], err) < 0 ||
	    take_source(pull, &wants[HEAD_REF], err) < 0 || take_draft(pull, wants, err) < 0 ||
	    take_action(pull, wants, err) < 0 || payload_take_tip(event, &wants[HEAD_SHA], err) < 0)
		return -1;
	pull->fork = comes_from_fork(wants);
	event->ref = xasprintf("refs/pull/%lld/head", (long long)pull->number);
	payload_take_sender(event, &wants[SENDER]);
	return 0;
}

/* ---- events ---- */

static const struct {
	const char *name;
	int (*read)(struct event *event, const struct json_want *wants, struct err *err);
} readers[] = {
	{ "push", read_push },
	{ "pull_request", read_pull },
	{ "pull_request_sync", read_pull },
};

static int read_event(struct event *event, const struct json_want *wants, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (strcmp(event->name, readers[i].name) == 0)
			return readers[i].read(event, wants, err);
	}
	return 0;
}

static int gitea_parse(struct events *out, const struct webhook_request *r, struct err *err)
{
	struct json_want wants[FIELDS] = { 0 };
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str name, payload;

	if (payload_need_event(&name, r, payload_first_header(r, event_headers), err) < 0 ||
	    payload_json(&payload, &decoded, r, err) < 0)
		return -1;

	struct event *event = events_add(out);
	event->kind = EVENT_OTHER;
	event->name = str_dup(name);
	event->provider = xstrdup("gitea");
	for (size_t i = 0; i < FIELDS; i++)
		wants[i].path = paths[i];
	int rc = json_scan(payload, wants, FIELDS, NULL, err);
	if (rc == 0)
		rc = read_event(event, wants, err);
	json_wants_release(wants, FIELDS);
	return rc;
}

const struct provider provider_gitea = {
	.name = "gitea",
	.event_header = "X-Gitea-Event",
	.verify = gitea_verify,
	.delivery_id = gitea_delivery_id,
	.parse = gitea_parse,
};

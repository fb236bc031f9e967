#include "webhooks/azure_repos.h"

#include "common/json_scan.h"
#include "common/scope.h"
#include "model/delivery.h"
#include "webhooks/basic.h"
#include "webhooks/payload.h"

enum { EVENT_TYPE_MAX = 128, DELIVERY_ID_MAX = 128, GUID_LENGTH = 36 };

static int azure_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	/* The configuration has one of the two, or both: then both must hold. */
	if (w->header && payload_verify_token(w, r, w->header, err) < 0)
		return -1;
	if (w->passwords_len || !w->header)
		return basic_verify(w, r, err);
	return 0;
}

/* ---- delivery ids ---- */

/* Examples and the test button write zeros where a GUID would be: they name nothing. */
static bool is_blank_guid(const struct json_want *want)
{
	for (size_t i = 0; i < want->value.len; i++) {
		if (want->value.ptr[i] != '0' && want->value.ptr[i] != '-')
			return false;
	}
	return true;
}

static int add_id_part(struct buf *out, const struct json_want *want, struct err *err)
{
	if (want->kind != JSON_WANT_STRING && want->kind != JSON_WANT_NUMBER)
		return err_set(err, ERR_INVALID, "bad_delivery_id", "%s: want an id", want->path);
	for (size_t i = 0; i < want->value.len; i++) {
		char c = want->value.ptr[i];
		if (c <= ' ' || c > '~' || strchr("'\"\\", c))
			return err_set(err, ERR_INVALID, "bad_delivery_id",
				       "%s: want printable ASCII without blanks, quotes and "
				       "backslashes",
				       want->path);
	}
	buf_addstr(out, want->value);
	if (want->value.len == 0 || out->full)
		return err_set(err, ERR_INVALID, "bad_delivery_id",
			       "%s: want 1 to 128 bytes, with what stands before it", want->path);
	return 0;
}

/* A notification is numbered within its subscription, and keeps its number when it is sent again.
 */
static int make_id(struct buf *out, const struct json_want *subscription,
		   const struct json_want *notification, const struct json_want *event,
		   struct err *err)
{
	if (payload_is_absent(subscription) || payload_is_absent(notification))
		return add_id_part(out, event, err);
	if (add_id_part(out, subscription, err) < 0)
		return -1;
	buf_addc(out, '/');
	return add_id_part(out, notification, err);
}

static int azure_delivery_id(struct buf *out, const struct webhook_request *r, struct err *err)
{
	struct json_want wants[] = { { .path = "subscriptionId" },
				     { .path = "notificationId" },
				     { .path = "id" } };
	cleanup_buf struct buf decoded = BUF_INIT, id = BUF_LIMIT(DELIVERY_ID_MAX);
	struct str payload;

	if (payload_json(&payload, &decoded, r, err) < 0 ||
	    json_scan(payload, wants, ARRAY_LEN(wants), NULL, err) < 0)
		return -1;
	const struct json_want *first = payload_is_absent(&wants[0]) ? &wants[2] : &wants[0];
	int rc = make_id(&id, &wants[0], &wants[1], &wants[2], err);
	if (rc == 0 && is_blank_guid(first))
		payload_delivery_id_of_body(out, r);
	else if (rc == 0)
		rc = buf_addstr(out, buf_str(&id));
	json_wants_release(wants, ARRAY_LEN(wants));
	return rc;
}

/* ---- what all events have ---- */

enum field {
	EVENT_TYPE,
	VERSION,
	REMOTE_URL,
	REPOSITORY_ID,
	PROJECT_ID,
	PROJECT_NAME,
	REF_UPDATES,
	COMMITS,
	PUSHED_BY_NAME,
	PUSHED_BY_LOGIN,
	PULL_NUMBER,
	PULL_STATUS,
	PULL_SOURCE,
	PULL_TARGET,
	PULL_DRAFT,
	PULL_FORK,
	MERGE_STATUS,
	MERGE_COMMIT,
	SOURCE_COMMIT,
	CREATED_BY_NAME,
	CREATED_BY_LOGIN,
	FIELDS,
};

static const char *const paths[FIELDS] = {
	[EVENT_TYPE] = "eventType",
	[VERSION] = "resourceVersion",
	[REMOTE_URL] = "resource.repository.remoteUrl",
	[REPOSITORY_ID] = "resource.repository.id",
	[PROJECT_ID] = "resource.repository.project.id",
	[PROJECT_NAME] = "resource.repository.project.name",
	[REF_UPDATES] = "resource.refUpdates",
	[COMMITS] = "resource.commits",
	[PUSHED_BY_NAME] = "resource.pushedBy.displayName",
	[PUSHED_BY_LOGIN] = "resource.pushedBy.uniqueName",
	[PULL_NUMBER] = "resource.pullRequestId",
	[PULL_STATUS] = "resource.status",
	[PULL_SOURCE] = "resource.sourceRefName",
	[PULL_TARGET] = "resource.targetRefName",
	[PULL_DRAFT] = "resource.isDraft",
	[PULL_FORK] = "resource.forkSource",
	[MERGE_STATUS] = "resource.mergeStatus",
	[MERGE_COMMIT] = "resource.lastMergeCommit.commitId",
	[SOURCE_COMMIT] = "resource.lastMergeSourceCommit.commitId",
	[CREATED_BY_NAME] = "resource.createdBy.displayName",
	[CREATED_BY_LOGIN] = "resource.createdBy.uniqueName",
};

static bool is_text(const struct json_want *want, const char *text)
{
	return want->kind == JSON_WANT_STRING && str_is(want->value, text);
}

static bool is_guid(const struct json_want *want)
{
	struct str s = want->value;

	if (want->kind != JSON_WANT_STRING || s.len != GUID_LENGTH)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!strchr("0123456789abcdefABCDEF-", s.ptr[i]))
			return false;
	}
	return true;
}

/* The folder that is above project and repository: "dev.azure.com/org", "host/tfs/collection". */
static struct str folder_of(const char *identity, bool is_service, const struct json_want *project)
{
	struct str id = str_from(identity);

	if (is_service)
		return str_slice(id, 0, str_find(id, '/', strlen("dev.azure.com/")));
	const char *mark = strstr(identity, "/_git/");
	struct str above = str_slice(id, 0, mark ? (size_t)(mark - identity) : 0);
	size_t slash = above.len;
	while (slash > 0 && above.ptr[slash - 1] != '/')
		slash--;
	/* A project that is called as its repository may be left out of the URL. */
	bool has_project = project->kind == JSON_WANT_STRING && slash > 0 &&
			   str_ieq(str_after(above, slash), project->value);
	return has_project ? str_slice(above, 0, slash - 1) : above;
}

/* GUIDs are the same in either case; identities of the service are in lower case. */
static void lower(char *text)
{
	for (; *text; text++)
		*text |= *text >= 'A' && *text <= 'F' ? 0x20 : 0;
}

/* The identity that a URL with GUIDs in it has: names can change, and tasks may follow either. */
static void take_guids(struct event *event, const struct json_want *wants)
{
	bool is_service = str_starts(str_from(event->repository), "dev.azure.com/");
	struct str folder = folder_of(event->repository, is_service, &wants[PROJECT_NAME]);

	if (!is_guid(&wants[PROJECT_ID]) || !is_guid(&wants[REPOSITORY_ID]) || folder.len == 0)
		return;
	cleanup_free char *project = str_dup(wants[PROJECT_ID].value);
	cleanup_free char *repository = str_dup(wants[REPOSITORY_ID].value);
	lower(project);
	lower(repository);
	event->repository_id = xasprintf(STR_FMT "/%s/%s%s", STR_ARG(folder), project,
					 is_service ? "" : "_git/", repository);
}

static int take_repository(struct event *event, const struct json_want *wants, struct err *err)
{
	if (payload_need_repository(event, &wants[REMOTE_URL], err) < 0)
		return -1;
	take_guids(event, wants);
	return 0;
}

static struct event *add_event(struct events *out, enum event_kind kind,
			       const struct json_want *wants)
{
	struct event *event = events_add(out);

	event->kind = kind;
	event->name = str_dup(wants[EVENT_TYPE].value);
	event->provider = xstrdup("azure-repos");
	return event;
}

/* Authentic, but of no use; what is to be known about it goes with the name. */
static int add_other(struct events *out, const struct json_want *wants, const char *remark)
{
	struct event *event = add_event(out, EVENT_OTHER, wants);

	if (!remark)
		return 0;
	free(event->name);
	event->name = xasprintf(STR_FMT " (%s)", STR_ARG(wants[EVENT_TYPE].value), remark);
	return 0;
}

/* ---- pushes ---- */

/* One ref of a push: {"name","oldObjectId","newObjectId"}. */
static int read_update(struct event *event, struct str update, struct err *err)
{
	struct json_want wants[] = { { .path = "name" },
				     { .path = "oldObjectId" },
				     { .path = "newObjectId" } };

	if (json_scan(update, wants, ARRAY_LEN(wants), NULL, err) < 0)
		return err_set(err, ERR_INVALID, "bad_payload", "want an object");
	int rc = payload_need_ref(&event->ref, &wants[0], err);
	if (rc == 0)
		rc = payload_need_commit(&event->before, &wants[1], err);
	if (rc == 0)
		rc = payload_need_commit(&event->after, &wants[2], err);
	if (rc == 0) {
		event->created = event_commit_is_zero(event->before);
		event->deleted = event_commit_is_zero(event->after);
	}
	json_wants_release(wants, ARRAY_LEN(wants));
	return rc;
}

static int add_push(struct events *out, const struct json_want *wants, struct str update,
		    struct err *err)
{
	struct event *event = add_event(out, EVENT_PUSH, wants);

	if (read_update(event, update, err) < 0)
		return err_wrap(err, "resource.refUpdates[%zu]", out->len - 1);
	payload_take_sender(event, &wants[PUSHED_BY_NAME]);
	payload_take_sender(event, &wants[PUSHED_BY_LOGIN]);
	return take_repository(event, wants, err);
}

/* What the newest commit of each ref says, when the message tells of it. */
static void take_messages(struct events *events, const struct json_want *commits)
{
	struct json_want wants[] = { { .path = "commitId" }, { .path = "comment" } };
	struct str rest = commits->value, commit;

	if (commits->kind != JSON_WANT_ARRAY)
		return;
	for (int i = 0; i < DELIVERY_EVENTS_MAX && json_array_next(&rest, &commit); i++) {
		if (json_scan(commit, wants, ARRAY_LEN(wants), NULL, NULL) < 0)
			continue;
		for (size_t n = 0; n < events->len; n++) {
			if (is_text(&wants[0], events->items[n].after))
				payload_take_message(&events->items[n], &wants[1]);
		}
		json_wants_release(wants, ARRAY_LEN(wants));
	}
}

static int read_push(struct events *out, const struct json_want *wants, struct err *err)
{
	struct str rest = wants[REF_UPDATES].value, update;

	if (wants[REF_UPDATES].kind != JSON_WANT_ARRAY)
		return err_set(err, ERR_INVALID, "bad_payload",
			       "resource.refUpdates: want a list; let the subscription send all "
			       "resource details");
	while (json_array_next(&rest, &update)) {
		if (out->len == DELIVERY_EVENTS_MAX) {
			events_release(out);
			return add_other(out, wants, "of more refs than are looked at");
		}
		if (add_push(out, wants, update, err) < 0)
			return -1;
	}
	if (out->len == 0)
		return add_other(out, wants, "of no ref");
	take_messages(out, &wants[COMMITS]);
	return 0;
}

/* ---- pull requests ---- */

/* "updated" says what the pull request is now, not what became different; "merged" that a merge
 * was tried, most often the one that shows what a merge would give. */
static const struct {
	const char *event, *status, *merge_status; /* NULL: any */
	enum pull_action action;
} actions[] = {
	{ "git.pullrequest.created", NULL, NULL, PULL_OPENED },
	{ "git.pullrequest.updated", "active", NULL, PULL_UPDATED },
	{ "git.pullrequest.updated", "completed", NULL, PULL_MERGED },
	{ "git.pullrequest.updated", "abandoned", NULL, PULL_CLOSED },
	{ "git.pullrequest.merged", "active", "succeeded", PULL_UPDATED },
};

static enum pull_action action_of(const struct json_want *wants)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (is_text(&wants[EVENT_TYPE], actions[i].event) &&
		    (!actions[i].status || is_text(&wants[PULL_STATUS], actions[i].status)) &&
		    (!actions[i].merge_status ||
		     is_text(&wants[MERGE_STATUS], actions[i].merge_status)))
			return actions[i].action;
	}
	return PULL_OTHER;
}

/*
 * What is built is what a merge would give, if there is such a commit; it is the one of the commits
 * before while a merge is queued or when it failed. Else the source alone, which is in this
 * repository unless it is a fork's.
 */
static int take_commit(struct event *event, const struct json_want *wants, struct err *err)
{
	bool is_merged = !payload_is_absent(&wants[MERGE_COMMIT]) &&
			 (payload_is_absent(&wants[MERGE_STATUS]) ||
			  is_text(&wants[MERGE_STATUS], "succeeded"));
	const struct json_want *commit = &wants[is_merged ? MERGE_COMMIT : SOURCE_COMMIT];

	event->ref = is_merged || event->pull.fork
			     ? xasprintf("refs/pull/%lld/merge", (long long)event->pull.number)
			     : xstrdup(event->pull.source);
	/* What is closed need not have one. */
	if (payload_is_absent(commit) && event->pull.action > PULL_RETARGETED)
		return 0;
	return payload_need_commit(&event->after, commit, err);
}

static int read_pull(struct events *out, const struct json_want *wants, struct err *err)
{
	struct event *event = add_event(out, EVENT_PULL_REQUEST, wants);
	struct pull_request *pull = &event->pull;

	pull->action = action_of(wants);
	pull->fork = !payload_is_absent(&wants[PULL_FORK]);
	payload_take_sender(event, &wants[CREATED_BY_NAME]);
	payload_take_sender(event, &wants[CREATED_BY_LOGIN]);
	if (payload_need_number(&pull->number, &wants[PULL_NUMBER], err) < 0 ||
	    payload_need_ref(&pull->source, &wants[PULL_SOURCE], err) < 0 ||
	    payload_need_ref(&pull->target, &wants[PULL_TARGET], err) < 0 ||
	    payload_opt_bool(&pull->draft, &wants[PULL_DRAFT], err) < 0 ||
	    take_repository(event, wants, err) < 0)
		return -1;
	return take_commit(event, wants, err);
}

/* ---- the message ---- */

static const struct {
	const char *type;
	int (*read)(struct events *out, const struct json_want *wants, struct err *err);
} readers[] = {
	{ "git.push", read_push },
	{ "git.pullrequest.created", read_pull },
	{ "git.pullrequest.updated", read_pull },
	{ "git.pullrequest.merged", read_pull },
};

/* Other versions have other shapes. The oldest messages say none. */
static bool is_known_version(const struct json_want *version)
{
	return version->kind != JSON_WANT_STRING || str_starts(version->value, "1.0") ||
	       str_starts(version->value, "2.0");
}

static int read_message(struct events *out, const struct json_want *wants, struct err *err)
{
	const struct json_want *type = &wants[EVENT_TYPE];

	if (type->kind != JSON_WANT_STRING || type->value.len == 0 ||
	    type->value.len > EVENT_TYPE_MAX || str_has_control(type->value))
		return err_set(err, ERR_INVALID, "bad_event",
			       "eventType: want a name of 1 to 128 bytes, such as git.push");
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		if (!is_text(type, readers[i].type))
			continue;
		return is_known_version(&wants[VERSION])
			       ? readers[i].read(out, wants, err)
			       : add_other(out, wants, "of an unknown resource version");
	}
	return add_other(out, wants, NULL);
}

static int azure_parse(struct events *out, const struct webhook_request *r, struct err *err)
{
	struct json_want wants[FIELDS] = { 0 };
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str payload;

	if (payload_json(&payload, &decoded, r, err) < 0)
		return -1;
	for (size_t i = 0; i < FIELDS; i++)
		wants[i].path = paths[i];
	int rc = json_scan(payload, wants, FIELDS, NULL, err);
	if (rc == 0)
		rc = read_message(out, wants, err);
	json_wants_release(wants, FIELDS);
	return rc;
}

const struct provider provider_azure_repos = {
	.name = "azure-repos",
	.verify = azure_verify,
	.delivery_id = azure_delivery_id,
	.parse = azure_parse,
};

#include "webhooks/github.h"

#include "common/crypto.h"
#include "common/json_scan.h"
#include "common/scope.h"
#include "model/repository.h"

enum { DELIVERY_ID_MAX = 128, URL_MAX = 2048, SENDER_MAX = 100 };

/* ---- authenticity ---- */

static int read_signature(unsigned char mac[SHA256_BYTES], const struct webhook_request *r,
			  struct err *err)
{
	static const char prefix[] = "sha256=";
	struct str text;

	if (!r->header(r->http, "X-Hub-Signature-256", &text))
		return err_set(
			err, ERR_DENIED, "signature_missing",
			"the header X-Hub-Signature-256 is missing: give the webhook a secret on GitHub");
	if (r->header_count(r->http, "X-Hub-Signature-256") != 1)
		return err_set(err, ERR_DENIED, "signature_malformed",
			       "X-Hub-Signature-256 came more than once");
	if (!str_starts(text, prefix) ||
	    !hex_decode(mac, SHA256_BYTES, str_after(text, sizeof prefix - 1)))
		return err_set(err, ERR_DENIED, "signature_malformed",
			       "X-Hub-Signature-256 wants sha256= and 64 hex digits");
	return 0;
}

static int github_verify(const struct webhook *w, const struct webhook_request *r, struct err *err)
{
	unsigned char given[SHA256_BYTES], wanted[SHA256_BYTES];
	bool matches = false;

	if (read_signature(given, r, err) < 0)
		return -1;
	/* Every secret is tried, so that the time does not tell which one is in use. */
	for (size_t i = 0; i < w->secrets_len; i++) {
		hmac_sha256(wanted, str_from(secret_reveal(&w->secrets[i])), r->body);
		matches |= bytes_equal_ct(given, wanted, sizeof wanted);
	}
	if (!matches)
		return err_set(
			err, ERR_DENIED, "signature_mismatch",
			"the signature does not belong to this body: the secret here and on GitHub differ");
	return 0;
}

static int github_delivery_id(struct str *out, const struct webhook_request *r, struct err *err)
{
	struct str id;

	if (!r->header(r->http, "X-GitHub-Delivery", &id) || id.len == 0)
		return err_set(err, ERR_INVALID, "bad_delivery_id",
			       "the header X-GitHub-Delivery is missing");
	if (r->header_count(r->http, "X-GitHub-Delivery") != 1 || id.len > DELIVERY_ID_MAX)
		return err_set(
			err, ERR_INVALID, "bad_delivery_id",
			"X-GitHub-Delivery wants one id of 1 to 128 printable ASCII characters");
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i] <= ' ' || id.ptr[i] > '~' || strchr("'\"\\", id.ptr[i]))
			return err_set(
				err, ERR_INVALID, "bad_delivery_id",
				"X-GitHub-Delivery wants printable ASCII without blanks, quotes and backslashes");
	}
	*out = id;
	return 0;
}

/* ---- the body ---- */

/* "payload=<percent-encoded JSON>" of a form: the field wherever it stands. */
static int form_payload(struct buf *out, struct str form, struct err *err)
{
	struct str field;

	while (str_split(&form, '&', &field)) {
		if (!str_starts(field, "payload="))
			continue;
		if (percent_decode(out, str_after(field, strlen("payload=")), true) < 0)
			return err_set(err, ERR_INVALID, "bad_payload",
				       "the form field 'payload' is badly encoded");
		return 0;
	}
	return err_set(err, ERR_INVALID, "bad_payload", "the form has no field 'payload'");
}

/* The JSON text: the body itself, or decoded into `owned`. */
static int payload_of(struct str *out, struct buf *owned, const struct webhook_request *r,
		      struct err *err)
{
	struct str type;

	if (!r->header(r->http, "Content-Type", &type))
		type = STR("");
	type = str_trim(str_slice(type, 0, str_find(type, ';', 0)));
	*out = r->body;
	if (str_is_i(type, "application/json"))
		return 0;
	if (!str_is_i(type, "application/x-www-form-urlencoded"))
		return err_set(
			err, ERR_INVALID, "media_type",
			"Content-Type wants application/json or application/x-www-form-urlencoded");
	if (form_payload(owned, r->body, err) < 0)
		return -1;
	*out = buf_str(owned);
	return 0;
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
};

static int need_string(const struct json_want *want, size_t max, struct err *err)
{
	if (want->kind != JSON_WANT_STRING)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want a string", want->path);
	if (want->value.len == 0 || want->value.len > max)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want 1 to %zu bytes",
			       want->path, max);
	return 0;
}

static int need_commit(char **out, const struct json_want *want, struct err *err)
{
	if (need_string(want, URL_MAX, err) < 0)
		return -1;
	bool hex = want->value.len == 40 || want->value.len == 64;
	for (size_t i = 0; hex && i < want->value.len; i++) {
		char c = want->value.ptr[i];
		hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
	}
	if (!hex)
		return err_set(err, ERR_INVALID, "sha_invalid",
			       "%s: want 40 or 64 lower-case hex digits", want->path);
	*out = str_dup(want->value);
	return 0;
}

static bool is_zero(const char *commit)
{
	return strspn(commit, "0") == strlen(commit);
}

static int opt_bool(bool *out, const struct json_want *want, struct err *err)
{
	if (want->kind == JSON_WANT_ABSENT || want->kind == JSON_WANT_NULL)
		return 0;
	if (want->kind != JSON_WANT_TRUE && want->kind != JSON_WANT_FALSE)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want true or false",
			       want->path);
	*out = want->kind == JSON_WANT_TRUE;
	return 0;
}

/*
 * A branch or a tag, in a form that git itself would have taken. The name never reaches an argument
 * list (the commit id is what is built), but it is shown, stored and compared.
 */
static int take_ref(char **out, const struct json_want *want, struct err *err)
{
	if (need_string(want, URL_MAX, err) < 0)
		return -1;
	if (!event_ref_is_valid(want->value))
		return err_set(
			err, ERR_INVALID, "ref_invalid",
			"ref: want a full ref of at most 255 bytes, such as refs/heads/main");
	*out = str_dup(want->value);
	return 0;
}

static int take_repository(struct event *event, const struct json_want *wants, struct err *err)
{
	const struct json_want *url = &wants[CLONE_URL];

	if (wants[REPOSITORY].kind != JSON_WANT_OBJECT)
		return err_set(err, ERR_INVALID, "bad_payload", "repository: want an object");
	if (url->kind == JSON_WANT_ABSENT)
		url = &wants[HTML_URL];
	if (need_string(url, URL_MAX, err) < 0)
		return -1;
	struct err why;
	if (repository_identity(&event->repository, url->value, &why) < 0)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: %s", url->path, why.msg);
	event->repository_url = str_dup(url->value);
	return 0;
}

static void take_sender(struct event *event, const struct json_want *wants)
{
	const struct json_want *who =
		wants[SENDER].kind == JSON_WANT_STRING ? &wants[SENDER] : &wants[PUSHER];

	if (who->kind == JSON_WANT_STRING && who->value.len)
		event->sender = str_dup(str_slice(who->value, 0, SENDER_MAX));
}

static int read_push(struct event *event, const struct json_want *wants, struct err *err)
{
	if (take_ref(&event->ref, &wants[REF], err) < 0 || take_repository(event, wants, err) < 0 ||
	    need_commit(&event->before, &wants[BEFORE], err) < 0 ||
	    need_commit(&event->after, &wants[AFTER], err) < 0 ||
	    opt_bool(&event->created, &wants[CREATED], err) < 0 ||
	    opt_bool(&event->deleted, &wants[DELETED], err) < 0 ||
	    opt_bool(&event->forced, &wants[FORCED], err) < 0)
		return -1;
	/* The zeros are what git says; the flags are what GitHub says on top. */
	event->deleted = event->deleted || is_zero(event->after);
	event->created = event->created || is_zero(event->before);
	take_sender(event, wants);
	return 0;
}

static int github_parse(struct event *out, const struct webhook_request *r, struct err *err)
{
	struct json_want wants[FIELDS] = { 0 };
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str name, payload;

	if (!r->header(r->http, "X-GitHub-Event", &name) || name.len == 0 || name.len > 64 ||
	    str_has_control(name))
		return err_set(err, ERR_INVALID, "bad_event",
			       "the header X-GitHub-Event is missing or malformed");
	if (payload_of(&payload, &decoded, r, err) < 0)
		return -1;

	struct event event = { .kind = EVENT_OTHER,
			       .name = str_dup(name),
			       .provider = xstrdup("github") };
	for (size_t i = 0; i < FIELDS; i++)
		wants[i].path = paths[i];
	/* Also what does not interest us must be whole: a broken body is said to be broken. */
	int rc = json_scan(payload, wants, FIELDS, NULL, err);
	if (rc == 0 && str_is(name, "ping")) {
		event.kind = EVENT_PING;
	} else if (rc == 0 && str_is(name, "push")) {
		event.kind = EVENT_PUSH;
		rc = read_push(&event, wants, err);
	}
	json_wants_release(wants, FIELDS);
	if (rc < 0) {
		event_release(&event);
		return -1;
	}
	*out = event;
	return 0;
}

const struct provider provider_github = {
	.name = "github",
	.verify = github_verify,
	.delivery_id = github_delivery_id,
	.parse = github_parse,
};

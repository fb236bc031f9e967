#include "webhooks/payload.h"

#include "common/crypto.h"
#include "common/scope.h"
#include "model/repository.h"

enum { DELIVERY_ID_MAX = 128, EVENT_NAME_MAX = 64, TITLE_MAX = 100 };

/* ---- authenticity ---- */

/* The one value of a header that proves who sent this. */
static int need_proof(struct str *out, const struct webhook_request *r, const char *header,
		      struct err *err)
{
	if (!r->header(r->http, header, out))
		return err_set(err, ERR_DENIED, "signature_missing",
			       "the header %.60s is missing: give the webhook a secret where it is "
			       "sent from",
			       header);
	if (r->header_count(r->http, header) != 1)
		return err_set(err, ERR_DENIED, "signature_malformed", "%.60s came more than once",
			       header);
	return 0;
}

int payload_verify_hmac(const struct webhook *w, const struct webhook_request *r,
			const char *header, const char *prefix, struct err *err)
{
	unsigned char given[SHA256_BYTES], wanted[SHA256_BYTES];
	bool matches = false;
	struct str text;

	if (need_proof(&text, r, header, err) < 0)
		return -1;
	if (!str_starts(text, prefix) ||
	    !hex_decode(given, sizeof given, str_after(text, strlen(prefix))))
		return err_set(err, ERR_DENIED, "signature_malformed",
			       "%.60s wants %s%s64 hex digits", header, prefix,
			       *prefix ? " and " : "");
	/* Every secret is tried, so that the time does not tell which one is in use. */
	for (size_t i = 0; i < w->secrets_len; i++) {
		hmac_sha256(wanted, str_from(secret_reveal(&w->secrets[i])), r->body);
		matches |= bytes_equal_ct(given, wanted, sizeof wanted);
	}
	if (matches)
		return 0;
	return err_set(err, ERR_DENIED, "signature_mismatch",
		       "the signature does not belong to this body: the secret here and where it "
		       "was sent from differ");
}

int payload_verify_token(const struct webhook *w, const struct webhook_request *r,
			 const char *header, struct err *err)
{
	unsigned char given[SHA256_BYTES], wanted[SHA256_BYTES];
	bool matches = false;
	struct str text;

	if (need_proof(&text, r, header, err) < 0)
		return -1;
	/* Hashes have one length, whatever was sent. */
	sha256(given, text);
	for (size_t i = 0; i < w->secrets_len; i++) {
		sha256(wanted, str_from(secret_reveal(&w->secrets[i])));
		matches |= bytes_equal_ct(given, wanted, sizeof wanted);
	}
	if (matches)
		return 0;
	return err_set(err, ERR_DENIED, "signature_mismatch",
		       "the value of %.60s is none of this webhook's secrets", header);
}

/* ---- delivery ids ---- */

bool payload_has_header(const struct webhook_request *r, const char *header)
{
	return r->header_count(r->http, header) > 0;
}

const char *payload_first_header(const struct webhook_request *r, const char *const *headers)
{
	for (const char *const *name = headers; *name; name++) {
		if (payload_has_header(r, *name))
			return *name;
	}
	return headers[0];
}

int payload_delivery_id(struct buf *out, const struct webhook_request *r, const char *header,
			struct err *err)
{
	struct str id;

	if (!r->header(r->http, header, &id) || id.len == 0)
		return err_set(err, ERR_INVALID, "bad_delivery_id", "the header %.60s is missing",
			       header);
	if (r->header_count(r->http, header) != 1 || id.len > DELIVERY_ID_MAX)
		return err_set(err, ERR_INVALID, "bad_delivery_id",
			       "%.60s wants one id of 1 to 128 printable ASCII characters", header);
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i] <= ' ' || id.ptr[i] > '~' || strchr("'\"\\", id.ptr[i]))
			return err_set(err, ERR_INVALID, "bad_delivery_id",
				       "%.60s wants printable ASCII without blanks, quotes and "
				       "backslashes",
				       header);
	}
	return buf_addstr(out, id);
}

void payload_delivery_id_of_body(struct buf *out, const struct webhook_request *r)
{
	unsigned char hash[SHA256_BYTES];

	sha256(hash, r->body);
	cleanup_free char *hex = hex_encode(hash, sizeof hash);
	buf_addf(out, "body-%s", hex);
}

/* ---- the event and the body ---- */

int payload_need_event(struct str *out, const struct webhook_request *r, const char *header,
		       struct err *err)
{
	if (!r->header(r->http, header, out) || out->len == 0 || out->len > EVENT_NAME_MAX ||
	    str_has_control(*out))
		return err_set(err, ERR_INVALID, "bad_event",
			       "the header %.60s is missing or malformed", header);
	return 0;
}

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

int payload_json(struct str *out, struct buf *owned, const struct webhook_request *r,
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

/* ---- members ---- */

bool payload_is_absent(const struct json_want *want)
{
	return want->kind == JSON_WANT_ABSENT || want->kind == JSON_WANT_NULL;
}

int payload_need_string(const struct json_want *want, size_t max, struct err *err)
{
	if (want->kind != JSON_WANT_STRING)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want a string", want->path);
	if (want->value.len == 0 || want->value.len > max)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want 1 to %zu bytes",
			       want->path, max);
	return 0;
}

int payload_need_commit(char **out, const struct json_want *want, struct err *err)
{
	if (payload_need_string(want, PAYLOAD_URL_MAX, err) < 0)
		return -1;
	if (!event_commit_is_valid(want->value))
		return err_set(err, ERR_INVALID, "sha_invalid",
			       "%s: want 40 or 64 lower-case hex digits", want->path);
	*out = str_dup(want->value);
	return 0;
}

/*
 * A branch or a tag, in a form that git itself would have taken. The name never reaches an argument
 * list (the commit id is what is built), but it is shown, stored and compared.
 */
static int take_ref(char **out, char *full, const char *path, struct err *err)
{
	if (!event_ref_is_valid(str_from(full))) {
		free(full);
		return err_set(err, ERR_INVALID, "ref_invalid",
			       "%s: want a full ref of at most 255 bytes, such as refs/heads/main",
			       path);
	}
	*out = full;
	return 0;
}

int payload_need_ref(char **out, const struct json_want *want, struct err *err)
{
	if (payload_need_string(want, PAYLOAD_URL_MAX, err) < 0)
		return -1;
	/* A NUL would hide what follows it. */
	if (str_has_control(want->value))
		return take_ref(out, xstrdup(""), want->path, err);
	return take_ref(out, str_dup(want->value), want->path, err);
}

int payload_need_branch(char **out, const struct json_want *want, struct err *err)
{
	if (payload_need_string(want, PAYLOAD_URL_MAX, err) < 0)
		return -1;
	if (str_has_control(want->value))
		return take_ref(out, xstrdup(""), want->path, err);
	return take_ref(out, xasprintf("refs/heads/" STR_FMT, STR_ARG(want->value)), want->path,
			err);
}

int payload_opt_bool(bool *out, const struct json_want *want, struct err *err)
{
	if (payload_is_absent(want))
		return 0;
	if (want->kind != JSON_WANT_TRUE && want->kind != JSON_WANT_FALSE)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want true or false",
			       want->path);
	*out = want->kind == JSON_WANT_TRUE;
	return 0;
}

int payload_need_number(int64_t *out, const struct json_want *want, struct err *err)
{
	uint64_t value;

	if (want->kind != JSON_WANT_NUMBER || !str_to_u64(want->value, INT64_MAX, &value))
		return err_set(err, ERR_INVALID, "bad_payload", "%s: want a whole number",
			       want->path);
	*out = (int64_t)value;
	return 0;
}

int payload_need_repository(struct event *event, const struct json_want *url, struct err *err)
{
	struct err why;

	if (payload_need_string(url, PAYLOAD_URL_MAX, err) < 0)
		return -1;
	if (repository_identity(&event->repository, url->value, &why) < 0)
		return err_set(err, ERR_INVALID, "bad_payload", "%s: %s", url->path, why.msg);
	event->repository_url = str_dup(url->value);
	return 0;
}

int payload_take_tip(struct event *event, const struct json_want *want, struct err *err)
{
	if (event->pull.action > PULL_RETARGETED &&
	    (want->kind != JSON_WANT_STRING || !event_commit_is_valid(want->value)))
		return 0;
	return payload_need_commit(&event->after, want, err);
}

bool payload_title_is_draft(const struct json_want *title)
{
	static const char *const beginnings[] = { "draft:", "[draft]", "(draft)", "wip:", "[wip]" };

	if (title->kind != JSON_WANT_STRING)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
		if (str_is_i(str_slice(str_trim(title->value), 0, strlen(beginnings[i])),
			     beginnings[i]))
			return true;
	}
	return false;
}

void payload_take_sender(struct event *event, const struct json_want *want)
{
	if (!event->sender && want->kind == JSON_WANT_STRING && want->value.len)
		event->sender = str_dup(str_slice(want->value, 0, PAYLOAD_NAME_MAX));
}

void payload_take_message(struct event *event, const struct json_want *want)
{
	if (want->kind != JSON_WANT_STRING)
		return;
	struct str line = str_slice(want->value, 0, str_find(want->value, '\n', 0));
	event->skip = event_message_skips(want->value);
	free(event->title);
	event->title = str_dup(str_trim(str_slice(line, 0, TITLE_MAX)));
}

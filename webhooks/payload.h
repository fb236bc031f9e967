/*
 * payload: what the readers of providers share: authenticity in constant time, delivery ids, and
 * the typed reading of members with an error that names their path.
 */
#pragma once
#include "common/json_scan.h"
#include "webhooks/provider.h"

enum { PAYLOAD_URL_MAX = 2048, PAYLOAD_NAME_MAX = 100 };

/*
 * Is one of the webhook's secrets the key of this HMAC-SHA256 of the body? `header` holds it as hex
 * digits behind `prefix` ("sha256=", or "") and comes once. Words as provider.h's verify().
 */
int payload_verify_hmac(const struct webhook *w, const struct webhook_request *r,
			const char *header, const char *prefix, struct err *err);
/* Is the value of this header, which comes once, one of the webhook's secrets? */
int payload_verify_token(const struct webhook *w, const struct webhook_request *r,
			 const char *header, struct err *err);

/* The value of a header as a delivery id. "bad_delivery_id" when it is missing or malformed. */
int payload_delivery_id(struct buf *out, const struct webhook_request *r, const char *header,
			struct err *err);
/* For a sender that gives none: the same body is the same delivery. */
void payload_delivery_id_of_body(struct buf *out, const struct webhook_request *r);
bool payload_has_header(const struct webhook_request *r, const char *header);
/* Of the names that a header goes by, which end with NULL: the first that came, else the first. */
const char *payload_first_header(const struct webhook_request *r, const char *const *headers);

/* The event's name out of this header: 1 to 64 bytes to be shown. Word "bad_event". */
int payload_need_event(struct str *out, const struct webhook_request *r, const char *header,
		       struct err *err);

/* The JSON text: the body itself, or the field "payload" of a form, decoded into `owned`. */
int payload_json(struct str *out, struct buf *owned, const struct webhook_request *r,
		 struct err *err);

/* ---- members, as json_scan() found them ---- */

/* 1 to `max` bytes. Word "bad_payload". */
int payload_need_string(const struct json_want *want, size_t max, struct err *err);
bool payload_is_absent(const struct json_want *want); /* or null */
/* A commit id. Word "sha_invalid". *out is the caller's. */
int payload_need_commit(char **out, const struct json_want *want, struct err *err);
/* A full ref (word "ref_invalid"), or a branch's name for refs/heads/. */
int payload_need_ref(char **out, const struct json_want *want, struct err *err);
int payload_need_branch(char **out, const struct json_want *want, struct err *err);
int payload_opt_bool(bool *out, const struct json_want *want, struct err *err);
int payload_need_number(int64_t *out, const struct json_want *want, struct err *err);
/* Identity and URL of the repository. Word "bad_payload". */
int payload_need_repository(struct event *event, const struct json_want *url, struct err *err);
/*
 * The commit of a pull request, whose action is known, as `after`. One that starts nothing may come
 * without: its branch may be gone.
 */
int payload_take_tip(struct event *event, const struct json_want *want, struct err *err);
/* Does the title of a pull request begin as drafts do, "Draft:", "[WIP]"? No when it is absent. */
bool payload_title_is_draft(const struct json_want *title);
/* The name of whoever did it; left alone when it is absent. */
void payload_take_sender(struct event *event, const struct json_want *want);
/* Title and wish to skip out of the newest commit's message; nothing when it is absent. */
void payload_take_message(struct event *event, const struct json_want *want);

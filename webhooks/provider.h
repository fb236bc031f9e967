/*
 * provider: one forge's way of delivering webhooks. One file per provider, one row in the table of
 * provider.c. Verification sees the raw bytes and nothing is parsed before it.
 */
#pragma once
#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"
#include "common/str.h"
#include "model/event.h"

/* The request as a provider sees it; no HTTP types, so that a saved one can be replayed. */
struct webhook_request {
	/* First header of that name (without case, trimmed), or false. */
	bool (*header)(const void *http, const char *name, struct str *out);
	size_t (*header_count)(const void *http, const char *name);
	const void *http;
	struct str body; /* raw */
};

/* A configured webhook: POST /webhooks/<name>. */
struct webhook {
	char *name;
	const struct provider *provider;
	struct secret *secrets; /* that sign; several during a rotation */
	size_t secrets_len;
	/* Of providers that sign nothing: Basic credentials, a header, or both; never neither. */
	const char *username; /* NULL: any */
	struct secret *passwords;
	size_t passwords_len;
	const char *header; /* name of a header whose value is one of the secrets; or NULL */
};

struct provider {
	const char *name; /* "github" */
	/* The header that names the event ("X-GitHub-Event"); NULL when the body says it. */
	const char *event_header;
	/* Authentic? Constant time. Words "signature_missing", "signature_malformed",
	 * "signature_mismatch" (401). */
	int (*verify)(const struct webhook *w, const struct webhook_request *r, struct err *err);
	/* The sender's id: 1-128 printable ASCII, appended to *out. Word "bad_delivery_id" (400).
	 */
	int (*delivery_id)(struct buf *out, const struct webhook_request *r, struct err *err);
	/*
	 * What it means: one event or several, added to *out. Uninteresting but authentic:
	 * EVENT_PING or EVENT_OTHER, no error. Words "bad_event", "bad_payload", "bad_json",
	 * "json_too_deep", "json_too_big", "sha_invalid", "ref_invalid", "media_type" (415).
	 * The caller releases *out also after an error.
	 */
	int (*parse)(struct events *out, const struct webhook_request *r, struct err *err);
};

const struct provider *provider_find(const char *name); /* or NULL */

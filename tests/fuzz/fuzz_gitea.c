/*
 * Gitea's provider: event, media type, both kinds of signature, delivery id and body (provider.h).
 * What a form holds is signed without the form, so that it is decoded here as well.
 */
#include "tests/fuzz/provider.h"

#include "common/crypto.h"

static const char *const headers[] = { "X-Gitea-Event",     "Content-Type",
				       "X-Gitea-Signature", "X-Hub-Signature-256",
				       "X-Gitea-Delivery",  NULL };

static bool is_signed(const struct saved_request *r, const struct saved_request *body,
		      const char *key)
{
	char *right = saved_request_signature(body, key);
	bool same = str_is_i(fuzz_header(r, "X-Hub-Signature-256"), right) ||
		    str_is_i(fuzz_header(r, "X-Gitea-Signature"), right + strlen("sha256="));

	free(right);
	return same;
}

static bool is_authentic(const struct saved_request *r, const char *key)
{
	struct str form = buf_str(&r->body), field;
	bool found = is_signed(r, r, key);

	while (!found && str_split(&form, '&', &field)) {
		struct saved_request inner = { 0 };
		if (str_starts(field, "payload=") &&
		    percent_decode(&inner.body, str_after(field, strlen("payload=")), true) == 0)
			found = is_signed(r, &inner, key);
		saved_request_release(&inner);
	}
	return found;
}

static const struct fuzz_provider gitea = { "gitea", headers, is_authentic };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_provider(&gitea, data, size);
	return 0;
}

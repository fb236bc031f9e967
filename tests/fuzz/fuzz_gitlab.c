/* GitLab's provider: event, media type, token, idempotency key and body (provider.h). */
#include "tests/fuzz/provider.h"

static const char *const headers[] = { "X-Gitlab-Event", "Content-Type", "X-Gitlab-Token",
				       "Idempotency-Key", NULL };

static bool is_authentic(const struct saved_request *r, const char *key)
{
	return str_is(fuzz_header(r, "X-Gitlab-Token"), key);
}

static const struct fuzz_provider gitlab = { "gitlab", headers, is_authentic };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_provider(&gitlab, data, size);
	return 0;
}

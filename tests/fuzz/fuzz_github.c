/* GitHub's provider: event, media type, signature and delivery id, and the body (provider.h). */
#include "tests/fuzz/provider.h"

static const char *const headers[] = { "X-GitHub-Event", "Content-Type", "X-Hub-Signature-256",
				       "X-GitHub-Delivery", NULL };

static bool is_authentic(const struct saved_request *r, const char *key)
{
	char *right = saved_request_signature(r, key);
	bool same = str_is_i(fuzz_header(r, "X-Hub-Signature-256"), right);

	free(right);
	return same;
}

static const struct fuzz_provider github = { "github", headers, is_authentic };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_provider(&github, data, size);
	return 0;
}

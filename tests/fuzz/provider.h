/*
 * provider: what the fuzzers of providers share. The input is the values of the provider's headers,
 * a line each, and the body. Whatever is read as a push or a pull request names a ref that git
 * takes, a commit, and a repository; whatever is refused has a word and a message that can be
 * shown; and nothing is taken for authentic that a plainer judgement would not.
 */
#pragma once
#include "tests/fuzz/fuzz.h"
#include "tests/lib/saved_request.h"

struct fuzz_provider {
	const char *name;
	const char *const *headers; /* until NULL */
	/* May a request that verify() accepted be authentic, when the secret is `key`? */
	bool (*is_authentic)(const struct saved_request *r, const char *key);
};

/* Aborts on a finding. */
void fuzz_provider(const struct fuzz_provider *fuzz, const uint8_t *data, size_t size);
/* The value of a header as it was written; "" without it. */
struct str fuzz_header(const struct saved_request *r, const char *name);

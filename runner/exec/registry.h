/*
 * registry: ask a registry what a tag points at. Pushing is the engine's; this is for believing
 * nothing that was not read back.
 */
#pragma once
#include "model/image.h"
#include "runner/exec/exec.h"

/*
 * The digest that `image` (registry, repository, tag) has now; *out is the caller's, or NULL when
 * there is no such tag. With `within_ms` it is asked even if the run was canceled, but for no
 * longer than that; 0: within the run.
 *
 * Credentials are those configured for the registry. They go to the registry itself, and to the
 * token server that it names when that is on the same host or a parent domain of it.
 * Words: "registry_unreachable" (ERR_UNAVAILABLE), "registry_auth", "registry_denied",
 * "registry_protocol", "tls".
 */
int registry_read_digest(char **out, const struct exec *x, const struct image *image,
			 int64_t within_ms, struct err *err);

/* Does the registry answer, and accept the credentials? For check-health. */
int registry_ping(const struct exec *x, const struct spec_registry *registry, int64_t within_ms,
		  struct err *err);

/* May credentials for `registry` ("registry.gitlab.com:443") be sent to `realm` (a URL)? */
bool registry_trusts_realm(const char *registry, const char *realm);
/* One parameter of a WWW-Authenticate header: realm, service, scope. Owned; NULL when absent. */
char *registry_challenge(const char *header, const char *name);

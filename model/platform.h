/*
 * platform: os, architecture, variant: "linux/arm64/v8". Names are ACR's (reference/acr-wire.md,
 * section 10.1), compared without case, kept in lower case. Word "platform_invalid".
 */
#pragma once
#include <jansson.h>

#include "common/err.h"
#include "common/str.h"

struct platform {
	char *os;           /* NULL: not said, which is linux on this machine's architecture */
	char *architecture; /* or NULL */
	char *variant;      /* or NULL */
};

int platform_parse(struct platform *out, struct str text, struct err *err);
int platform_from_json(struct platform *out, const json_t *object, const char *path,
		       struct err *err);
json_t *platform_to_json(const struct platform *p);
/*
 * "linux/amd64", as OCI spells it (ACR's x86 is 386), this machine's architecture when none was
 * said; NULL when nothing was said. Owned by the caller.
 */
char *platform_text(const struct platform *p);
const char *platform_host_architecture(void); /* "amd64" */
void platform_copy(struct platform *to, const struct platform *from);
void platform_release(struct platform *p);

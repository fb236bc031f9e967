/*
 * secret: a value that must not be shown. It has no printer; it is wiped on release. Whoever
 * needs the bytes calls secret_reveal() and does not keep them. Zeroed memory is "none".
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct secret {
	char *bytes; /* do not touch: secret_reveal() */
	size_t len;
};

void secret_set(struct secret *s, struct str value); /* replaces and wipes what was there */
void secret_copy(struct secret *to, const struct secret *from);
void secret_release(struct secret *s);
bool secret_is_set(const struct secret *s);
const char *secret_reveal(const struct secret *s); /* NUL-terminated; "" when none */

/*
 * Read a configured secret: "file:PATH" (one trailing newline is dropped; the file must not be
 * readable by group or others, word "config_perm"), "env:NAME", or a literal, which only counts
 * when `literal_allowed` (the configuration file itself is 0600). An empty value is refused
 * ("config_invalid"), as is one that cannot be had ("config_secret").
 */
int secret_load(struct secret *out, const char *text, bool literal_allowed, struct err *err);

/*
 * image: an image reference, [registry/]repository[:tag][@digest], by the distribution reference
 * grammar (github.com/distribution/reference): lower-case repository path, tag of up to 128
 * [A-Za-z0-9_.-], digest sha256:<64 hex>.
 */
#pragma once
#include "common/err.h"
#include "common/str.h"

struct image {
	char *registry;   /* "127.0.0.1:5000", or NULL when the text named none */
	char *repository; /* "team/app" */
	char *tag;        /* or NULL */
	char *digest;     /* "sha256:…", or NULL */
};

/*
 * The first component is a registry when it holds '.' or ':' or is "localhost", as docker reads it.
 * Word "image_invalid"; an image may not start with '-'.
 */
int image_parse(struct image *out, struct str text, struct err *err);
void image_copy(struct image *to, const struct image *from);
void image_release(struct image *image);
/* "registry/repository:tag" (and "@digest" when there is one). Owned by the caller. */
char *image_text(const struct image *image);

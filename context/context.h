/*
 * context: what a context string means. Grammar only: whether it may be used is policy.h's.
 *
 *   https://github.com/acme/app.git#main:service    git: repository, ref, folder
 *   git@host:acme/app.git  ssh://…  git://…  github.com/acme/app  dev.azure.com/…/_git/…
 *   https://example.org/source.tar.gz                an archive over HTTP
 *   oci://registry/name:tag                          an artifact
 *   source/<id>.tar.gz                               an archive that was uploaded here
 *   /dev/null                                        none
 *   anything else                                    a local folder
 *
 * The rules are those of ACR's executor, of docker build and of BuildKit
 * (reference/acr-features.md, section 3); where these differ, tests/fixtures/git-context.tsv says
 * whom we follow and why.
 */
#pragma once
#include "common/err.h"
#include "common/secret.h"
#include "common/str.h"

enum context_kind {
	CONTEXT_LOCAL,
	CONTEXT_GIT,
	CONTEXT_HTTP,
	CONTEXT_OCI,
	CONTEXT_UPLOAD,
	CONTEXT_NONE,
};

struct context {
	enum context_kind kind;
	char *repository; /* git, http, oci: URL without credentials and fragment; local, upload:
			     the path; none: NULL */
	char *ref;        /* git; NULL: the remote's HEAD */
	char *folder;     /* git, as written; NULL: the root */
	char *username;   /* out of the URL, or NULL */
	struct secret password; /* out of the URL: a password, or a token that stood alone */
};

/*
 * Words: "context_invalid" (empty, control characters, bad escapes, a query that contradicts itself
 * or asks for what there is not), "url_invalid" (a user part that hides the host).
 */
int context_parse(struct context *out, struct str text, struct err *err);
void context_release(struct context *c);
const char *context_kind_name(enum context_kind kind); /* "git" */

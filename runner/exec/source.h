/*
 * source: bringing the context of a run, one file per kind. source_fetch() is in exec.h.
 */
#pragma once
#include "context/context.h"
#include "context/policy.h"
#include "runner/exec/exec.h"

int source_fetch_git(struct source *out, struct exec *x, const struct context *c, struct err *err);
int source_fetch_upload(struct source *out, struct exec *x, const struct context *c,
			struct err *err);
int source_fetch_http(struct source *out, struct exec *x, const struct context *c, struct err *err);

/* What the operator allows; borrowed from the specification. */
struct policy source_policy(const struct exec *x);
/* May this URL be fetched? Words: those of policy_check_url(). */
int source_check_url(const struct exec *x, const char *url, struct err *err);
/* Credentials of a context were moved out of its URL long before: "url_has_credentials". */
int source_check_credentials(const struct context *c, struct err *err);
/* Unpack an open archive into x->work as the context of *out, with its Dockerfile and its rules. */
int source_from_archive(struct source *out, struct exec *x, int archive, struct err *err);

/*
 * Keep the Dockerfile's bytes beside the context, so that it is there also when the ignore rules
 * leave it out and so that no link inside the context is followed to it. Returns its path.
 */
char *source_keep_dockerfile(const struct exec *x, struct str content, struct err *err);

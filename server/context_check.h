/*
 * context_check: may a build use this context? Looks at a build's context string before the build
 * is accepted, so that what can never work is refused at once with a reason. Credentials in the URL
 * are moved to build->context_token, so that no listing ever prints them.
 */
#pragma once
#include "common/err.h"
#include "model/build.h"
#include "model/task.h"

struct config;

enum context_check {
	CONTEXT_CHECK_GIT, /* a task's: a git repository */
	CONTEXT_CHECK_ANY, /* a manual build's: git, https archive, upload */
};

/* Words: those of context/policy.h, "context_kind", "context_missing" (an upload that is not
 * there), "ref_denied" (a task that names a pull ref). */
int context_check(struct build *build, enum context_check kind, const struct config *config,
		  struct err *err);
/* The same for the URL that a trigger follows, which is never fetched: credentials in it are moved
 * to t->token. Words: "context_invalid", "url_has_credentials". */
int context_check_trigger(struct source_trigger *t, struct err *err);

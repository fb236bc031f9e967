/*
 * context_query: BuildKit's way to say ref and folder of a git context, in the query of its URL:
 * ?branch=main&subdir=service. What has no counterpart here is refused, never passed over.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct context;

/* Are all names of the query BuildKit's? Only then is it that of a repository with ".git". */
bool context_query_is_known(struct str query);
/*
 * Into c->ref and c->folder, which may hold what stood behind '#'. Word "context_invalid": a name
 * that is not known, a missing value, a contradiction, an option that we do not have.
 */
int context_query_apply(struct context *c, struct str query, struct err *err);

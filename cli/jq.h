/* jq: --jq EXPR, by libjq. */
#pragma once
#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

/*
 * Add each result as a line; strings without quotes, as scripts want them. When the expression
 * fails half way, the results before that are there. Word "usage".
 */
int jq_run(struct buf *out, const json_t *value, const char *expression, struct err *err);

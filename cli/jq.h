/* jq: --jq EXPR, by libjq. */
#pragma once
#include <jansson.h>

#include "common/err.h"

/* Print each result on a line; strings without quotes, as scripts want them. Word "usage". */
int jq_print(const json_t *value, const char *expression, struct err *err);

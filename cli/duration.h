/* duration: spans of time, as people write them and as they are shown. */
#pragma once
#include <stdint.h>

#include "common/buf.h"

/* "90s", "15m", "2h", "1d" in milliseconds; -1 when it is none. */
int duration_parse(int64_t *out_ms, struct str text);

/* Add "00:01:05", from one RFC 3339 time to another (NULL: until now); nothing without a start. */
void duration_add(struct buf *out, const char *start, const char *end);

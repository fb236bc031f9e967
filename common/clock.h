/* clock: the one time unit is the millisecond, int64_t. */
#pragma once
#include <stdint.h>

int64_t clock_now_ms(void);       /* wall time since 1970, for records and people */
int64_t clock_monotonic_ms(void); /* for deadlines and durations; never jumps */

enum { CLOCK_TEXT_BYTES = 32 };

/* "2024-01-31T12:00:00.123Z" (RFC 3339, UTC, milliseconds). Returns `out`. */
const char *clock_format(char out[CLOCK_TEXT_BYTES], int64_t ms);

/*
 * Read RFC 3339: "2024-01-31T12:00:00Z", with any fraction, "Z" or "+hh:mm". A bare date is
 * midnight UTC. 0, or -1 when it is none.
 */
int clock_parse(const char *text, int64_t *out_ms);

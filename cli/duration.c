#include "cli/duration.h"

#include "common/clock.h"

enum { NUMBER_MAX = 1000000 }; /* of days: more than two thousand years */

int duration_parse(int64_t *out_ms, struct str text)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	uint64_t number;

	for (size_t i = 0; text.len > 1 && i < ARRAY_LEN(units); i++) {
		if (text.ptr[text.len - 1] == units[i].unit &&
		    str_to_u64(str_slice(text, 0, text.len - 1), NUMBER_MAX, &number)) {
			*out_ms = (int64_t)number * units[i].ms;
			return 0;
		}
	}
	return -1;
}

void duration_add(struct buf *out, const char *start, const char *end)
{
	int64_t from_ms, to_ms = clock_now_ms();

	if (!start || clock_parse(start, &from_ms) < 0 || (end && clock_parse(end, &to_ms) < 0))
		return;
	int64_t seconds = to_ms > from_ms ? (to_ms - from_ms + 500) / 1000 : 0;
	buf_addf(out, "%02lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds / 60 % 60),
		 (int)(seconds % 60));
}

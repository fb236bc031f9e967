/* The Range header: what is asked, and what of it there is. */
#include "server/range.h"
#include "tests/unit/unit.h"

/* What "bytes=…" selects of `size` bytes: "first-end", "none" or "bad". */
static const char *select_of(const char *text, uint64_t size)
{
	static char out[64];
	struct range range;
	uint64_t first, end;

	if (range_parse(&range, str_from(text), NULL) < 0)
		return "bad";
	if (!range_resolve(&range, size, &first, &end))
		return "none";
	snprintf(out, sizeof out, "%llu-%llu", (unsigned long long)first, (unsigned long long)end);
	return out;
}

static void range_selects_bytes(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		const char *selected;
	} rows[] = {
		{ "bytes=0-0", 10, "0-1" },
		{ "bytes=2-5", 10, "2-6" },
		{ "bytes=2-", 10, "2-10" },
		{ "bytes=-3", 10, "7-10" },
		{ "bytes=-30", 10, "0-10" },
		{ "bytes=8-100", 10, "8-10" },
		{ "bytes=9-9223372036854775807", 10, "9-10" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(select_of(rows[i].text, rows[i].size), rows[i].selected);
}

static void range_beyond_the_end_selects_nothing(void **state)
{
	(void)state;
	assert_string_equal(select_of("bytes=10-", 10), "none");
	assert_string_equal(select_of("bytes=0-", 0), "none");
	assert_string_equal(select_of("bytes=-0", 10), "none");
	assert_string_equal(select_of("bytes=9223372036854775807-", 10), "none");
}

static void range_that_is_none_is_refused(void **state)
{
	static const char *const rows[] = { "",
					    "bytes=",
					    "bytes=-",
					    "bytes=a-b",
					    "bytes=5-2",
					    "bytes=-1-2",
					    "bytes=0-1,3-4",
					    "bytes=+1-2",
					    "bytes=1 -2",
					    "lines=0-1",
					    "bytes=18446744073709551616-",
					    "bytes=0-99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(select_of(rows[i], 10), "bad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_selects_bytes),
		cmocka_unit_test(range_beyond_the_end_selects_nothing),
		cmocka_unit_test(range_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

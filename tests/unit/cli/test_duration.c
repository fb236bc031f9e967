#include "tests/unit/unit.h"

#include "cli/duration.h"
#include "common/clock.h"

static void a_number_and_a_unit_are_a_duration(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "0s", 0 },
		{ "90s", 90000 },
		{ "15m", 900000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "007m", 420000 },
		{ "1000000d", INT64_C(86400000000000) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		assert_int_equal(duration_parse(&ms, str_from(rows[i].text)), 0);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void anything_else_is_none(void **state)
{
	(void)state;
	static const char *const rows[] = { "",
					    "s",
					    "15",
					    "m15",
					    "1.5h",
					    "-1h",
					    "+1h",
					    " 1h",
					    "1h ",
					    "1w",
					    "1H",
					    "1hh",
					    "1 h",
					    "0x1h",
					    "1h1m",
					    "1000001d",
					    "99999999999999999999d" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = 7;
		assert_int_equal(duration_parse(&ms, str_from(rows[i])), -1);
		assert_int_equal(ms, 7);
	}
}

static void assert_span(const char *start, const char *end, const char *shown)
{
	struct buf out = BUF_INIT;

	duration_add(&out, start, end);
	assert_string_equal(buf_str(&out).ptr, shown);
	buf_release(&out);
}

static void a_span_is_shown_in_hours_minutes_and_seconds(void **state)
{
	(void)state;
	assert_span("2026-01-01T00:00:00Z", "2026-01-01T00:01:05Z", "00:01:05");
	assert_span("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.499Z", "00:00:00");
	assert_span("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.500Z", "00:00:01");
	assert_span("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "00:00:00");
	assert_span("2026-01-01T00:00:00Z", "2026-01-06T04:00:00Z", "124:00:00");
}

static void a_clock_that_went_back_shows_no_time(void **state)
{
	(void)state;
	assert_span("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", "00:00:00");
}

static void without_a_start_there_is_no_span(void **state)
{
	(void)state;
	assert_span(NULL, "2026-01-01T00:00:00Z", "");
	assert_span("yesterday", "2026-01-01T00:00:00Z", "");
	assert_span("2026-01-01T00:00:00Z", "later", "");
}

static void without_an_end_it_lasts_until_now(void **state)
{
	(void)state;
	char start[CLOCK_TEXT_BYTES];
	struct buf out = BUF_INIT;

	duration_add(&out, clock_format(start, clock_now_ms() - 7200000), NULL);
	assert_has(buf_str(&out).ptr, "02:00:0");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_and_a_unit_are_a_duration),
		cmocka_unit_test(anything_else_is_none),
		cmocka_unit_test(a_span_is_shown_in_hours_minutes_and_seconds),
		cmocka_unit_test(a_clock_that_went_back_shows_no_time),
		cmocka_unit_test(without_a_start_there_is_no_span),
		cmocka_unit_test(without_an_end_it_lasts_until_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

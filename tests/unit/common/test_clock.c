#include "tests/unit/unit.h"

#include "common/clock.h"

static void formats_utc_with_milliseconds(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_BYTES];

	assert_string_equal(clock_format(text, 0), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(text, 1706702400123), "2024-01-31T12:00:00.123Z");
	assert_string_equal(clock_format(text, -1), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(text, INT64_MAX), "1970-01-01T00:00:00.000Z");
}

static void reads_what_rfc_3339_allows(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2024-01-31T12:00:00.123Z", 1706702400123 },
		{ "2024-01-31T12:00:00.123456789Z", 1706702400123 },
		{ "2024-01-31t12:00:00.5z", 1706702400500 },
		{ "2024-01-31 14:30:00+02:30", 1706702400000 },
		{ "2024-01-31T09:00:00-03:00", 1706702400000 },
		{ "2024-01-31", 1706659200000 },
		{ "2024-02-29", 1709164800000 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		if (clock_parse(rows[i].text, &ms) < 0)
			fail_msg("%s", rows[i].text);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void refuses_what_is_no_time(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"now",
		"2024",
		"2024-13-01",
		"2024-00-01",
		"2024-01-32",
		"2023-02-29",
		"2024-04-31",
		"24-01-01",
		"2024-01-31T12:00Z",
		"2024-01-31T25:00:00Z",
		"2024-01-31T12:60:00Z",
		"2024-01-31T12:00:00",
		"2024-01-31T12:00:00.Z",
		"2024-01-31T12:00:00Zx",
		"2024-01-31T12:00:00+0100",
		"1969-12-31T23:59:59Z",
		"+2024-01-31",
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = 7;
		if (clock_parse(rows[i], &ms) == 0)
			fail_msg("accepted %s", rows[i]);
		assert_int_equal(ms, 7);
	}
}

static void a_day_after_the_end_of_its_month_is_refused(void **state)
{
	(void)state;
	int64_t ms;
	assert_int_equal(clock_parse("1900-02-29", &ms), -1);
	assert_int_equal(clock_parse("2100-02-29", &ms), -1);
	assert_int_equal(clock_parse("2000-02-29", &ms), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_utc_with_milliseconds),
		cmocka_unit_test(reads_what_rfc_3339_allows),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(a_day_after_the_end_of_its_month_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

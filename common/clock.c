#include "common/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

const char *clock_format(char out[CLOCK_TEXT_BYTES], int64_t ms)
{
	struct tm tm = { 0 };
	time_t seconds = (time_t)(ms / 1000);

	if (ms < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 8099) {
		seconds = 0;
		ms = 0;
		gmtime_r(&seconds, &tm);
	}
	snprintf(out, CLOCK_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u,
		 (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
		 (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u, (unsigned)(ms % 1000));
	return out;
}

/* Exactly `digits` decimal digits at *p, within [lo, hi]; moves *p behind them. */
static bool take_number(const char **p, int digits, int lo, int hi, int *out)
{
	int value = 0;
	for (int i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*out = value;
	return value >= lo && value <= hi;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* The fraction after '.', in milliseconds; further digits are dropped. */
static bool take_fraction(const char **p, int *ms)
{
	int scale = 100;
	*ms = 0;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
		*ms += (**p - '0') * scale;
	return true;
}

static bool take_offset(const char **p, int *minutes)
{
	int sign = **p == '-' ? -1 : 1, hours = 0, mins = 0;

	*minutes = 0;
	if (take_char(p, 'Z') || take_char(p, 'z'))
		return true;
	if (!take_char(p, '+') && !take_char(p, '-'))
		return false;
	if (!take_number(p, 2, 0, 23, &hours) || !take_char(p, ':') ||
	    !take_number(p, 2, 0, 59, &mins))
		return false;
	*minutes = sign * (hours * 60 + mins);
	return true;
}

/* timegm() would take 30 February for 1 March. */
static bool has_day(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] + (month == 2 && leap);
}

int clock_parse(const char *text, int64_t *out_ms)
{
	struct tm tm = { 0 };
	int fraction_ms = 0, offset_min = 0;
	const char *p = text;

	if (!take_number(&p, 4, 1970, 9999, &tm.tm_year) || !take_char(&p, '-') ||
	    !take_number(&p, 2, 1, 12, &tm.tm_mon) || !take_char(&p, '-') ||
	    !take_number(&p, 2, 1, 31, &tm.tm_mday) || !has_day(tm.tm_year, tm.tm_mon, tm.tm_mday))
		return -1;
	if (*p && ((!take_char(&p, 'T') && !take_char(&p, 't') && !take_char(&p, ' ')) ||
		   !take_number(&p, 2, 0, 23, &tm.tm_hour) || !take_char(&p, ':') ||
		   !take_number(&p, 2, 0, 59, &tm.tm_min) || !take_char(&p, ':') ||
		   !take_number(&p, 2, 0, 60, &tm.tm_sec) ||
		   (take_char(&p, '.') && !take_fraction(&p, &fraction_ms)) ||
		   !take_offset(&p, &offset_min)))
		return -1;
	if (*p)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out_ms = ((int64_t)timegm(&tm) - (int64_t)offset_min * 60) * 1000 + fraction_ms;
	return 0;
}

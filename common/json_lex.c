#include "common/json_lex.h"

#include <endian.h>
#include <errno.h>
#include <math.h>

static const char *fail(struct json_fault *fault, const char *at, const char *why)
{
	*fault = (struct json_fault){ at, why };
	return NULL;
}

/* ---- strings ---- */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* High bit set in the lowest byte of `word` that is zero (bytes above that one may be wrong). */
static inline uint64_t zero_byte(uint64_t word)
{
	return (word - EACH(0x01)) & ~word;
}

/*
 * Skip the bytes that need no look: ASCII but for quote, backslash and control characters. Eight at
 * a time, because most of a payload is long strings.
 */
static inline const char *skip_plain(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t word;
		memcpy(&word, p, sizeof word);
		word = le64toh(word);
		uint64_t special = zero_byte(word ^ EACH('"')) | zero_byte(word ^ EACH('\\')) |
				   ((word - EACH(0x20)) & ~word) | word;
		special &= EACH(0x80);
		if (special)
			return p + __builtin_ctzll(special) / 8;
		p += 8;
	}
	while (p < end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i], low = (char)(c | 0x20);
		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (low >= 'a' && low <= 'f')
			value = value << 4 | (low - 'a' + 10);
		else
			return -1;
	}
	return value;
}

static bool is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* `p` stands behind "\u". */
static const char *lex_unicode(const char *p, const char *end, struct json_fault *fault)
{
	int unit = hex4(p, end);

	if (unit < 0)
		return fail(fault, p, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail(fault, p, "\\u0000 is not allowed");
	if (is_low_surrogate(unit))
		return fail(fault, p, "lone surrogate");
	if (!is_high_surrogate(unit))
		return p + 4;
	if (end - p < 10 || p[4] != '\\' || p[5] != 'u' || !is_low_surrogate(hex4(p + 6, end)))
		return fail(fault, p, "lone surrogate");
	return p + 10;
}

static const char *lex_escape(const char *p, const char *end, struct json_fault *fault)
{
	if (p + 1 < end && p[1] == 'u')
		return lex_unicode(p + 2, end, fault);
	if (p + 1 < end && p[1] && strchr("\"\\/bfnrt", p[1]))
		return p + 2;
	return fail(fault, p, "unknown escape");
}

const char *json_lex_string(const char *p, const char *end, bool *escaped, struct json_fault *fault)
{
	*escaped = false;
	for (;;) {
		p = skip_plain(p, end);
		if (p == end)
			return fail(fault, p, "the string does not end");
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			*escaped = true;
			p = lex_escape(p, end, fault);
			if (!p)
				return NULL;
			continue;
		}
		size_t n = str_utf8_length(p, (size_t)(end - p));
		if (n == 0)
			return fail(fault, p, "not UTF-8");
		if ((unsigned char)*p < 0x20)
			return fail(fault, p, "control character in a string");
		p += n;
	}
}

static void add_utf8(struct buf *out, unsigned code)
{
	char bytes[4];
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(lead[n] | code);
	buf_add(out, bytes, n);
}

/* The escape at p, which stands behind the backslash; returns the byte behind it. */
static const char *decode_escape(struct buf *out, const char *p, const char *end)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

	if (*p != 'u') {
		buf_addc(out, values[strchr(names, *p) - names]);
		return p + 1;
	}
	int unit = hex4(p + 1, end);
	if (!is_high_surrogate(unit)) {
		add_utf8(out, (unsigned)unit);
		return p + 5;
	}
	int low = hex4(p + 7, end);
	add_utf8(out, 0x10000u + (((unsigned)unit & 0x3ff) << 10) + ((unsigned)low & 0x3ff));
	return p + 11;
}

void json_lex_decode(struct buf *out, struct str inside)
{
	const char *p = inside.ptr, *end = p + inside.len;

	while (p < end) {
		const char *backslash = memchr(p, '\\', (size_t)(end - p));
		buf_add(out, p, (size_t)((backslash ? backslash : end) - p));
		p = backslash ? decode_escape(out, backslash + 1, end) : end;
	}
}

/* ---- numbers ---- */

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool fits_int64(const char *p, const char *end)
{
	bool negative = *p == '-';
	struct str digits = { p + negative, (size_t)(end - p) - negative };
	uint64_t value;
	return digits.len <= 18 || str_to_u64(digits, (uint64_t)INT64_MAX + negative, &value);
}

static bool fits_double(const char *p, const char *end)
{
	char *copy = xstrndup(p, (size_t)(end - p));
	errno = 0;
	double value = strtod(copy, NULL);
	free(copy);
	return !(errno == ERANGE && isinf(value));
}

const char *json_lex_number(const char *p, const char *end, struct json_fault *fault)
{
	const char *start = p, *digits = p + (*p == '-');
	bool whole = true, exponent = false;

	p = skip_digits(digits, end);
	if (p == digits)
		return fail(fault, p, "a digit must follow the sign");
	if (*digits == '0' && p > digits + 1)
		return fail(fault, digits, "a number may not begin with 0");
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		p = skip_digits(p, end);
		if (p == fraction)
			return fail(fault, p, "a digit must follow the point");
		whole = false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		const char *power = p;
		p = skip_digits(p, end);
		if (p == power)
			return fail(fault, p, "the exponent has no digits");
		whole = false;
		exponent = true;
	}
	/* Without an exponent it takes more than 300 digits to leave the range of a double. */
	bool fits = whole ? fits_int64(start, p)
			  : (!exponent && p - start < 300) || fits_double(start, p);
	return fits ? p : fail(fault, start, "the number is out of range");
}

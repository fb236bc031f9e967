#include "common/str.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool str_is_i(struct str s, const char *text)
{
	return str_ieq(s, str_from(text));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = str_after(s, 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool str_has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

/* The table in section 4 of RFC 3629. */
size_t str_utf8_length(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return n;
}

bool str_is_utf8(struct str s)
{
	size_t i = 0;

	while (i < s.len) {
		/* Eight ASCII bytes at a time: nearly all text is that. */
		uint64_t word;
		while (s.len - i >= sizeof word) {
			memcpy(&word, s.ptr + i, sizeof word);
			if (word & 0x8080808080808080u)
				break;
			i += sizeof word;
		}
		if (i == s.len)
			break;
		size_t n = str_utf8_length(s.ptr + i, s.len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
	if (!rest->ptr)
		return false;
	size_t at = str_find(*rest, sep, 0);
	*part = str_slice(*rest, 0, at);
	*rest = at < rest->len ? str_after(*rest, at + 1) : (struct str){ NULL, 0 };
	return true;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';
		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

enum { NEAREST_MAX = 63 };

static size_t distance(struct str a, struct str b)
{
	size_t row[NEAREST_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));
			size_t best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
			diagonal = row[j];
			row[j] = change < best ? change : best;
		}
	}
	return row[b.len];
}

const char *str_nearest(struct str word, const char *const *words)
{
	const char *nearest = NULL;
	size_t best = word.len / 3 + 2; /* further than this was not meant */

	if (word.len > NEAREST_MAX)
		return NULL;
	for (; *words; words++) {
		if (strlen(*words) > NEAREST_MAX)
			continue;
		size_t d = distance(word, str_from(*words));
		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}

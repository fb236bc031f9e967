#include "context/runes.h"

size_t rune_decode(const char *p, const char *end, uint32_t *rune)
{
	const unsigned char *b = (const unsigned char *)p;
	size_t n = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;

	if (n == 1) {
		*rune = b[0];
		return 1;
	}
	if ((size_t)(end - p) < n || !str_is_utf8((struct str){ p, n })) {
		*rune = RUNE_ERROR;
		return 1;
	}
	uint32_t value = b[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		value = value << 6 | (b[i] & 0x3f);
	*rune = value;
	return n;
}

void rune_encode(struct buf *out, uint32_t rune)
{
	int more = rune < 0x80 ? 0 : rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };

	buf_addc(out, (char)(first[more] | rune >> (6 * more)));
	while (more--)
		buf_addc(out, (char)(0x80 | (rune >> (6 * more) & 0x3f)));
}

static int is_space(uint32_t r)
{
	return (r >= 0x09 && r <= 0x0d) || r == 0x20 || r == 0x85 || r == 0xa0 || r == 0x1680 ||
	       (r >= 0x2000 && r <= 0x200a) || r == 0x2028 || r == 0x2029 || r == 0x202f ||
	       r == 0x205f || r == 0x3000;
}

struct str rune_trim_space(struct str s)
{
	uint32_t rune;

	while (s.len) {
		size_t n = rune_decode(s.ptr, s.ptr + s.len, &rune);
		if (!is_space(rune))
			break;
		s = str_after(s, n);
	}
	while (s.len) {
		size_t n = 1;
		while (n < 4 && n < s.len && ((unsigned char)s.ptr[s.len - n] & 0xc0) == 0x80)
			n++;
		if (rune_decode(s.ptr + s.len - n, s.ptr + s.len, &rune) != n || !is_space(rune))
			break;
		s.len -= n;
	}
	return s;
}

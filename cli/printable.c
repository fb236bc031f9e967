#include "cli/printable.h"

/* U+0000 to U+001F, U+007F to U+009F: a terminal obeys them. */
static bool is_control(const char *p, size_t n)
{
	unsigned char first = (unsigned char)p[0];

	if (n == 1)
		return first < 0x20 || first == 0x7f;
	return n == 2 && first == 0xc2 && (unsigned char)p[1] < 0xa0;
}

void printable_add(struct buf *out, const char *text)
{
	struct str rest = str_from(text);

	while (rest.len) {
		size_t n = str_utf8_length(rest.ptr, rest.len);
		if (strchr("\t\n\r", rest.ptr[0]))
			buf_addc(out, ' ');
		else if (n == 0 || is_control(rest.ptr, n))
			buf_addc(out, '?');
		else
			buf_add(out, rest.ptr, n);
		rest = str_after(rest, n ? n : 1);
	}
}

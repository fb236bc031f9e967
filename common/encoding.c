/* Text forms of bytes: hexadecimal, base 64, base 32 and percent-encoding (crypto.h). */
#include "common/crypto.h"

char *hex_encode(const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	char *text = xmalloc(2 * len + 1);

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(void *out, size_t len, struct str text)
{
	unsigned char *bytes = out;

	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text.ptr[2 * i]), low = hex_value(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct str data)
{
	const unsigned char *p = (const unsigned char *)data.ptr;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < data.len; i += 3) {
		size_t n = data.len - i < 3 ? data.len - i : 3;
		uint32_t bits = (uint32_t)p[i] << 16;
		bits |= n > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		bits |= n > 2 ? p[i + 2] : 0;
		char four[4] = { base64_digits[bits >> 18], base64_digits[bits >> 12 & 63],
				 n > 1 ? base64_digits[bits >> 6 & 63] : '=',
				 n > 2 ? base64_digits[bits & 63] : '=' };
		buf_add(&out, four, sizeof four);
	}
	return buf_detach(&out);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without its padding; -1 when there is too much or too little of it. */
static int base64_unpad(struct str *text)
{
	size_t whole = text->len, pads = 0;

	while (text->len && text->ptr[text->len - 1] == '=' && pads < 2) {
		text->len--;
		pads++;
	}
	return (pads && whole % 4 != 0) || text->len % 4 == 1 ? -1 : 0;
}

int base64_decode(struct buf *out, struct str text)
{
	size_t before = out->len;
	uint32_t bits = 0;
	unsigned held = 0;

	if (base64_unpad(&text) < 0 || buf_reserve(out, text.len / 4 * 3 + 2) < 0)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.ptr[i]);
		if (value < 0) {
			buf_truncate(out, before);
			return -1;
		}
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			buf_addc(out, (char)(bits >> held & 0xff));
		}
	}
	if (bits & ((1u << held) - 1)) { /* bits that no encoder writes */
		buf_truncate(out, before);
		return -1;
	}
	return 0;
}

char *random_token(size_t bytes)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char *random = xmalloc(bytes);
	struct buf out = BUF_INIT;
	uint32_t bits = 0;
	unsigned held = 0;

	random_bytes(random, bytes);
	for (size_t i = 0; i < bytes; i++) {
		bits = bits << 8 | random[i];
		for (held += 8; held >= 5; held -= 5)
			buf_addc(&out, digits[bits >> (held - 5) & 31]);
	}
	if (held)
		buf_addc(&out, digits[bits << (5 - held) & 31]);
	free(random);
	return buf_detach(&out);
}

int percent_decode(struct buf *out, struct str text, bool plus)
{
	if (buf_reserve(out, text.len) < 0)
		return -1;
	char *to = out->ptr + out->len;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte == '%') {
			if (!hex_decode(&byte, 1, str_slice(text, i + 1, i + 3)))
				return -1;
			i += 2;
		} else if (byte == '+' && plus) {
			byte = ' ';
		}
		to[n++] = (char)byte;
	}
	buf_grown(out, n);
	return 0;
}

void percent_encode(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     (c >= '0' && c <= '9') || (c && strchr("._~-", c));
		if (plain)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

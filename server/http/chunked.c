/*
 *   SIZE ─► EXTENSION ─► SIZE_LF ─► DATA ─► DATA_CR ─► DATA_LF ─► SIZE
 *     └──────────────────►┘  │ size 0
 *                            └─► TRAILER ─► TRAILER_LINE ─► TRAILER_LF ─► TRAILER
 *                                   └─► LAST_LF ─► END
 */
#include "server/http/chunked.h"

/* clang-format off */
enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, LAST_LF, END };

static const struct refusal
	BAD_SIZE      = {400, "bad_framing", "A chunk's size must be hex digits, then CR LF."},
	HUGE_SIZE     = {413, "too_large", "A chunk is larger than anything that is taken here."},
	BAD_EXTENSION = {400, "bad_framing", "A chunk's extension is longer than 1 KiB or holds a control byte."},
	BAD_END       = {400, "bad_framing", "The data of a chunk must be followed by CR LF."},
	BAD_TRAILER   = {400, "bad_framing", "The trailer is larger than 8 KiB, or holds a control byte or a bare LF."};
/* clang-format on */

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(unsigned char c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static const struct refusal *take_size(struct chunked *c, unsigned char byte)
{
	int digit = hex_value(byte);

	if (digit >= 0) {
		if (c->left >> 60)
			return &HUGE_SIZE;
		c->left = c->left << 4 | (unsigned)digit;
		return ++c->digits <= 16 ? NULL : &BAD_SIZE; /* a run of leading zeros */
	}
	if (c->digits == 0 || (byte != '\r' && byte != ';'))
		return &BAD_SIZE;
	c->digits = 0;
	c->extension = 0;
	c->state = byte == ';' ? EXTENSION : SIZE_LF;
	return NULL;
}

static const struct refusal *take_extension(struct chunked *c, unsigned char byte)
{
	if (byte == '\r') {
		c->state = SIZE_LF;
		return NULL;
	}
	bool fits = ++c->extension <= CHUNK_EXTENSION_BYTES &&
		    ++c->extensions <= CHUNK_EXTENSIONS_BYTES;
	return fits && is_text(byte) ? NULL : &BAD_EXTENSION;
}

static const struct refusal *take_trailer(struct chunked *c, unsigned char byte)
{
	if (byte == '\r') {
		c->state = c->state == TRAILER ? LAST_LF : TRAILER_LF;
		return NULL;
	}
	c->state = TRAILER_LINE;
	return ++c->trailer <= CHUNK_TRAILER_BYTES && is_text(byte) ? NULL : &BAD_TRAILER;
}

static const struct refusal *expect(struct chunked *c, unsigned char byte, unsigned char wanted,
				    int next, const struct refusal *why)
{
	c->state = next;
	return byte == wanted ? NULL : why;
}

/* One byte of what is not data. */
static const struct refusal *take(struct chunked *c, unsigned char byte)
{
	switch (c->state) {
	case SIZE: return take_size(c, byte);
	case EXTENSION: return take_extension(c, byte);
	case SIZE_LF: return expect(c, byte, '\n', c->left ? DATA : TRAILER, &BAD_SIZE);
	case DATA_CR: return expect(c, byte, '\r', DATA_LF, &BAD_END);
	case DATA_LF: return expect(c, byte, '\n', SIZE, &BAD_END);
	case TRAILER:
	case TRAILER_LINE: return take_trailer(c, byte);
	case TRAILER_LF: return expect(c, byte, '\n', TRAILER, &BAD_TRAILER);
	default: return expect(c, byte, '\n', END, &BAD_TRAILER);
	}
}

static struct str take_data(struct chunked *c, struct str *bytes)
{
	struct str piece = *bytes;
	if (piece.len > c->left)
		piece.len = (size_t)c->left;
	c->left -= piece.len;
	if (c->left == 0)
		c->state = DATA_CR;
	*bytes = str_after(*bytes, piece.len);
	return piece;
}

enum chunked_result chunked_next(struct chunked *c, struct str *bytes, struct str *piece,
				 const struct refusal **why)
{
	while (c->state != END) {
		if (bytes->len == 0)
			return CHUNKED_MORE;
		if (c->state == DATA) {
			*piece = take_data(c, bytes);
			return CHUNKED_DATA;
		}
		if ((*why = take(c, (unsigned char)bytes->ptr[0])))
			return CHUNKED_REFUSED;
		*bytes = str_after(*bytes, 1);
	}
	return CHUNKED_END;
}

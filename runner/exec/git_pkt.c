#include "runner/exec/git_pkt.h"

#include <stdarg.h>
#include <stdlib.h>

#include "common/crypto.h"

enum { DIGITS = 4, HELD_BYTES = 2 * 65536 };

struct git_pkt_reader {
	git_pkt_source *source;
	void *data;
	size_t limit;
	size_t begin, end; /* of what was received and not read yet */
	char held[HELD_BYTES];
};

struct git_pkt_reader *git_pkt_open(git_pkt_source *source, void *data)
{
	struct git_pkt_reader *r = xmalloc(sizeof *r);

	r->source = source;
	r->data = data;
	r->limit = GIT_PKT_BYTES;
	r->begin = r->end = 0;
	return r;
}

void git_pkt_close(struct git_pkt_reader *r)
{
	free(r);
}

void git_pkt_limit(struct git_pkt_reader *r, size_t bytes)
{
	r->limit = bytes;
}

/* Until `wanted` bytes are held. 1: they are; 0: the input ended before; -1. */
static int fill(struct git_pkt_reader *r, size_t wanted, struct err *err)
{
	if (r->begin + wanted > HELD_BYTES) {
		memmove(r->held, r->held + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	while (r->end - r->begin < wanted) {
		size_t n = 0;
		if (r->source(r->data, r->held + r->end, HELD_BYTES - r->end, &n, err) < 0)
			return -1;
		if (n == 0)
			return 0;
		r->end += n;
	}
	return 1;
}

static int broken_off(struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE, "git_network",
		       "the server broke off in the middle of its answer");
}

/* A control packet has a length below that of its own digits. */
static int take_control(struct git_pkt *out, struct git_pkt_reader *r, size_t length,
			struct err *err)
{
	static const enum git_pkt_kind kinds[] = { GIT_PKT_FLUSH, GIT_PKT_DELIM, GIT_PKT_END };

	if (length >= ARRAY_LEN(kinds))
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server sent a packet of the impossible length %zu", length);
	out->kind = kinds[length];
	r->begin += DIGITS;
	return 0;
}

int git_pkt_read(struct git_pkt *out, struct git_pkt_reader *r, struct err *err)
{
	unsigned char bytes[2];

	*out = (struct git_pkt){ .kind = GIT_PKT_END };
	int rc = fill(r, DIGITS, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return r->begin == r->end ? 0 : broken_off(err);
	if (!hex_decode(bytes, sizeof bytes, (struct str){ r->held + r->begin, DIGITS }))
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server does not speak the git protocol");
	size_t length = (size_t)bytes[0] << 8 | bytes[1];
	if (length < DIGITS)
		return take_control(out, r, length, err);
	if (length > GIT_PKT_BYTES)
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server sent a packet of the impossible length %zu", length);
	if (length > r->limit)
		return err_set(err, ERR_LIMIT, "git_too_large",
			       "the server sent a ref with a name of over %zu bytes", r->limit);
	rc = fill(r, length, err);
	if (rc <= 0)
		return rc < 0 ? -1 : broken_off(err);
	out->kind = GIT_PKT_LINE;
	out->bytes = (struct str){ r->held + r->begin + DIGITS, length - DIGITS };
	out->text = out->bytes;
	if (str_ends(out->text, "\n"))
		out->text.len--;
	r->begin += length;
	return 0;
}

/* ---- writing ---- */

void git_pkt_addf(struct buf *out, const char *fmt, ...)
{
	struct buf line = BUF_INIT;
	va_list args;

	va_start(args, fmt);
	buf_vaddf(&line, fmt, args);
	va_end(args);
	buf_addf(out, "%04zx" STR_FMT "\n", line.len + DIGITS + 1, STR_ARG(line));
	buf_release(&line);
}

void git_pkt_add_flush(struct buf *out)
{
	buf_adds(out, "0000");
}

void git_pkt_add_delim(struct buf *out)
{
	buf_adds(out, "0001");
}

#include "tests/lib/http_trace.h"

#include <assert.h>

#include "server/http/chunked.h"
#include "server/http/guard.h"
#include "server/http/parse.h"

struct reader {
	struct guard guard;
	struct head head;
	struct chunked chunked;
	struct buf text; /* of the head */
	uint64_t left;
	bool in_body;
	const struct refusal *why;
};

static void must(bool fact)
{
	if (!fact)
		abort();
}

/* What the guard saw and what the parser saw must be one and the same request. */
static void check_agreement(const struct reader *r)
{
	struct str text = buf_str(&r->text), value;
	size_t from = 0, hosts = 0;

	must(r->guard.chunked == r->head.chunked);
	must(r->guard.length == r->head.has_length);
	must(r->guard.http10 == r->head.http10);
	must(!(r->head.chunked && r->head.has_length));
	must(r->guard.lines == r->head.count);
	must(span_of(r->head.target, text).ptr[0] == '/');
	must(span_of(r->head.method, text).ptr[r->head.method.len] == ' ');
	while (head_next(&r->head, text, "host", &from, &value))
		hosts++;
	must(hosts == 1);
	from = 0;
	must(!r->head.chunked || (head_next(&r->head, text, "transfer-encoding", &from, &value) &&
				  str_is_i(value, "chunked")));
}

/* The library refuses a little more than the guard, which is safe: Transfer-Encoding0, say. */
static bool trace_head(struct reader *r, struct buf *trace)
{
	static const struct refusal not_parsed = { 400, "bad_request", "" };
	struct str text = buf_str(&r->text);

	if (head_parse(&r->head, text) < 0) {
		r->why = &not_parsed;
		return false;
	}
	check_agreement(r);
	buf_addf(trace, "head " STR_FMT " ", STR_ARG(span_of(r->head.method, text)));
	buf_addstr(trace, span_of(r->head.target, text));
	buf_addf(trace, " keep=%d chunked=%d length=%llu\n", r->head.keep_alive, r->head.chunked,
		 (unsigned long long)r->head.length);
	for (size_t i = 0; i < r->head.count; i++) {
		buf_addstr(trace, span_of(r->head.fields[i].name, text));
		buf_addc(trace, '=');
		buf_addstr(trace, span_of(r->head.fields[i].value, text));
		buf_addc(trace, '\n');
	}
	r->in_body = true;
	r->left = r->head.length;
	r->chunked = (struct chunked){ 0 };
	return true;
}

static bool read_head(struct reader *r, struct str *in, struct buf *trace)
{
	static const struct guard_limits limits = { 32 << 10, 100 };
	size_t before = r->text.len;

	buf_addstr(&r->text, *in);
	switch (guard_feed(&r->guard, &limits, buf_str(&r->text), &r->why)) {
	case GUARD_MORE: *in = str_after(*in, in->len); return false;
	case GUARD_REFUSED: return false;
	case GUARD_DONE: break;
	}
	buf_truncate(&r->text, r->guard.size);
	*in = str_after(*in, r->guard.size - before);
	return trace_head(r, trace);
}

static bool read_body(struct reader *r, struct str *in, struct buf *trace)
{
	enum chunked_result result = r->left ? CHUNKED_MORE : CHUNKED_END;
	struct str piece = STR("");

	if (r->head.chunked) {
		result = chunked_next(&r->chunked, in, &piece, &r->why);
	} else if (r->left > 0 && in->len > 0) {
		piece = str_slice(*in, 0, r->left < in->len ? (size_t)r->left : in->len);
		*in = str_after(*in, piece.len);
		r->left -= piece.len;
		result = CHUNKED_DATA;
	}
	buf_addstr(trace, piece);
	if (result == CHUNKED_END) {
		buf_adds(trace, "\nend\n");
		r->in_body = false;
		r->guard = (struct guard){ 0 };
		buf_clear(&r->text);
	}
	return result == CHUNKED_DATA || result == CHUNKED_END;
}

static void feed(struct reader *r, struct str in, struct buf *trace)
{
	bool progress = true;

	while (progress && !r->why && (in.len > 0 || r->in_body))
		progress = r->in_body ? read_body(r, &in, trace) : read_head(r, &in, trace);
}

void http_trace(struct buf *trace, struct str stream, size_t first, size_t step)
{
	struct reader r = { 0 };
	size_t size = first;

	while (stream.len > 0 && !r.why) {
		feed(&r, str_slice(stream, 0, size), trace);
		stream = str_after(stream, size);
		size = step;
	}
	if (r.why)
		buf_addf(trace, "refused %d %s", r.why->status, r.why->word);
	else
		buf_adds(trace, "more");
	head_release(&r.head);
	buf_release(&r.text);
}

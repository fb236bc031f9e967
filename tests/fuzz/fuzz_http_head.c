/*
 * Bytes of a client: the first two say where to cut, the rest is the stream. The same bytes in one
 * piece and in pieces must give the same heads, bodies and refusal, and what the guard lets through
 * the parser must understand in the same way (http_trace.c checks that).
 */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/http_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT, cut = BUF_INIT;

	if (size < 2)
		return 0;
	struct str stream = { (const char *)data + 2, size - 2 };
	http_trace(&whole, stream, stream.len, 1);
	http_trace(&cut, stream, data[0], 1 + data[1]);
	if (!str_eq(buf_str(&whole), buf_str(&cut)))
		abort();
	buf_release(&whole);
	buf_release(&cut);
	return 0;
}

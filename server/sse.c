#include "server/sse.h"

#include <inttypes.h>

static void write_event(struct buf *out, struct str line, uint64_t end)
{
	struct str part;

	while (str_split(&line, '\r', &part)) {
		buf_adds(out, "data: ");
		buf_addstr(out, part);
		buf_addc(out, '\n');
	}
	buf_addf(out, "id: %" PRIu64 "\n\n", end);
}

void sse_write(struct buf *out, struct str bytes, uint64_t offset)
{
	size_t at = 0;

	while (at < bytes.len) {
		size_t newline = str_find(bytes, '\n', at);
		size_t next = newline < bytes.len ? newline + 1 : bytes.len;
		struct str line = str_slice(bytes, at, newline);
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--; /* CR LF is one line break */
		write_event(out, line, offset + next);
		at = next;
	}
}

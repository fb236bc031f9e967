#include "context/zstd_guard.h"

enum {
	MAGIC_BYTES = 4,
	BLOCK_HEADER_BYTES = 3,
	SKIPPABLE_HEADER_BYTES = 8,
};

static uint64_t little_endian(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

static bool is_skippable(const struct zstd_guard *g)
{
	return (little_endian(g->held, MAGIC_BYTES) & 0xfffffff0) == 0x184d2a50;
}

/* Bytes behind the descriptor byte: window, dictionary, content size. */
static size_t content_size_bytes(unsigned descriptor)
{
	static const size_t sizes[] = { 0, 2, 4, 8 };
	bool single = descriptor >> 5 & 1;

	return descriptor >> 6 == 0 && single ? 1 : sizes[descriptor >> 6];
}

static size_t dictionary_bytes(unsigned descriptor)
{
	static const size_t sizes[] = { 0, 1, 2, 4 };
	return sizes[descriptor & 3];
}

/* How many bytes the header at hand has, as far as that can be told now. */
static size_t header_bytes(const struct zstd_guard *g)
{
	if (g->in_frame)
		return BLOCK_HEADER_BYTES;
	if (g->len < MAGIC_BYTES)
		return MAGIC_BYTES;
	if (is_skippable(g))
		return SKIPPABLE_HEADER_BYTES;
	if (g->len == MAGIC_BYTES)
		return MAGIC_BYTES + 1;
	unsigned descriptor = g->held[MAGIC_BYTES];
	bool single = descriptor >> 5 & 1;
	return MAGIC_BYTES + 1 + !single + dictionary_bytes(descriptor) +
	       content_size_bytes(descriptor);
}

static uint64_t window_of(const struct zstd_guard *g)
{
	unsigned descriptor = g->held[MAGIC_BYTES];
	const unsigned char *p = g->held + MAGIC_BYTES + 1;

	if (!(descriptor >> 5 & 1)) {
		uint64_t base = (uint64_t)1 << (10 + (*p >> 3));
		return base + base / 8 * (*p & 7);
	}
	size_t n = content_size_bytes(descriptor);
	uint64_t size = little_endian(p + dictionary_bytes(descriptor), n);
	return n == 2 ? size + 256 : size;
}

static int take_frame(struct zstd_guard *g, struct err *err)
{
	if (is_skippable(g)) {
		g->skip = little_endian(g->held + MAGIC_BYTES, 4);
		return 0;
	}
	if (window_of(g) > ZSTD_WINDOW_BYTES)
		return err_set(err, ERR_LIMIT, "tar_too_large",
			       "the archive needs more than %d MiB to be decompressed: compress it "
			       "with a smaller window (zstd -19 or less)",
			       ZSTD_WINDOW_BYTES >> 20);
	g->in_frame = true;
	g->checksum = g->held[MAGIC_BYTES] >> 2 & 1;
	return 0;
}

static void take_block(struct zstd_guard *g)
{
	uint64_t header = little_endian(g->held, BLOCK_HEADER_BYTES);
	bool last = header & 1, repeated = (header >> 1 & 3) == 1;

	g->skip = repeated ? 1 : header >> 3;
	if (last) {
		g->skip += g->checksum ? 4 : 0;
		g->in_frame = false;
	}
}

int zstd_guard_feed(struct zstd_guard *g, struct str bytes, struct err *err)
{
	int rc = 0;

	while (bytes.len && !g->off && rc == 0) {
		if (g->skip) {
			size_t n = bytes.len < g->skip ? bytes.len : (size_t)g->skip;
			bytes = str_after(bytes, n);
			g->skip -= n;
			continue;
		}
		g->held[g->len++] = (unsigned char)bytes.ptr[0];
		bytes = str_after(bytes, 1);
		if (!g->in_frame && g->len == MAGIC_BYTES && !is_skippable(g) &&
		    little_endian(g->held, MAGIC_BYTES) != 0xfd2fb528)
			g->off = true;
		if (g->len < header_bytes(g))
			continue;
		if (g->in_frame)
			take_block(g);
		else
			rc = take_frame(g, err);
		g->len = 0;
	}
	return rc;
}

/*
 * tar_guard: looks at the bytes of a tar before the library that reads it does, so that there is
 * only one way to read them. It knows where headers are, and refuses what readers disagree about:
 * two sizes for one entry, sparse files, sizes on entries without data, bytes behind the end, an
 * archive that just stops. Names and types are left to unpack.c.
 *
 *   struct tar_guard g = { 0 };
 *   tar_guard_feed(&g, bytes, err);     as they come, in any pieces
 *   tar_guard_end(&g, err);             when there are no more
 *   tar_guard_release(&g);
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { TAR_BLOCK_BYTES = 512, TAR_EXTENSION_BYTES = 64 << 10 };

struct tar_guard {
	struct buf held;    /* of the header or the extension that is being collected */
	uint64_t body;      /* bytes of data and padding to come */
	uint64_t extension; /* of these, data of an extended header; 0: none */
	char type;          /* of the header before */
	bool has_size;      /* an extended header told the size of the entry that comes next */
	uint64_t size;
	bool ended; /* an empty block came: only zeros may follow */
};

/* Words: "tar_bad", and "tar_unsafe" for a name with a NUL in it. */
int tar_guard_feed(struct tar_guard *g, struct str bytes, struct err *err);
int tar_guard_end(const struct tar_guard *g, struct err *err);
void tar_guard_release(struct tar_guard *g);

/*
 * zstd_guard: looks at the frame headers of zstd data (RFC 8878) before it is decompressed: a
 * header of a few bytes may ask for a window of 128 MiB, and that memory is ours.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

enum { ZSTD_WINDOW_BYTES = 32 << 20, ZSTD_HEADER_MAX = 18 };

struct zstd_guard {
	unsigned char held[ZSTD_HEADER_MAX]; /* of the header that is being collected */
	size_t len;
	uint64_t skip; /* bytes to come that are no header */
	bool in_frame; /* block headers come; else a frame's */
	bool checksum; /* four bytes behind the last block */
	bool off;      /* this is no zstd data, or not well-formed: the decompressor will say so */
};

/* Zeroed is ready. Any bytes, in any pieces. Word "tar_too_large". */
int zstd_guard_feed(struct zstd_guard *g, struct str bytes, struct err *err);

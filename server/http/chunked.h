/*
 * chunked: reads a body in the chunked transfer coding (RFC 9112, section 7.1), strictly: CRLF
 * only, sizes of hex digits only, extensions counted and dropped, trailers counted and dropped.
 * The parser library is not used for this, because the distribution builds it without its checks.
 *
 *   struct chunked c = {0};
 *   while bytes are there: switch (chunked_next(&c, &bytes, &piece, &why))
 *     CHUNKED_MORE:    all bytes are used up
 *     CHUNKED_DATA:    `piece` is body; call again
 *     CHUNKED_END:     `bytes` starts with what follows the body
 *     CHUNKED_REFUSED: answer `why`, close
 *
 * Pure, and the verdict does not depend on how the bytes are cut.
 */
#pragma once
#include <stdint.h>

#include "common/str.h"
#include "server/http/refusal.h"

enum {
	CHUNK_EXTENSION_BYTES = 1024,      /* of one chunk */
	CHUNK_EXTENSIONS_BYTES = 16 << 10, /* of one body: each chunk may bring one */
	CHUNK_TRAILER_BYTES = 8 << 10,
};

struct chunked {
	int state;
	unsigned digits;
	uint64_t left;     /* of the chunk in work */
	size_t extension;  /* bytes of the extension in work */
	size_t extensions; /* of all of them */
	size_t trailer;
};

enum chunked_result { CHUNKED_MORE, CHUNKED_DATA, CHUNKED_END, CHUNKED_REFUSED };

enum chunked_result chunked_next(struct chunked *c, struct str *bytes, struct str *piece,
				 const struct refusal **why);

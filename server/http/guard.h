/*
 * guard: is the head of a request beyond doubt? It sees every byte of it before the parser does.
 *
 * Lines are judged in order, each as soon as its LF is there or it has outgrown its ceiling, so
 * that the verdict depends on the bytes alone and never on how they were cut into packets. Pure:
 * no memory, no clock, no I/O.
 *
 *   struct guard g = {0};
 *   for each arrival: switch (guard_feed(&g, &limits, all_bytes_so_far, &why))
 *     GUARD_MORE:    wait; call again with the same bytes and more behind them
 *     GUARD_DONE:    the head is the first g.size bytes
 *     GUARD_REFUSED: answer `why`, close
 *
 * What passes: CRLF lines only; METHOD SP /path[?query] SP HTTP/1.0 or 1.1, where the method is
 * one of ours and each %HH is valid and not %00; token names, no folding, no control bytes; exactly
 * one valid Host; at most one Content-Length of digits, or one "Transfer-Encoding: chunked" (1.1
 * only), never both; no Upgrade, no Content-Encoding; Expect only 100-continue.
 */
#pragma once
#include <stdbool.h>

#include "common/str.h"
#include "server/http/refusal.h"

enum { GUARD_LINE_BYTES = 8192, GUARD_PATH_BYTES = 8192 };

struct guard_limits {
	size_t head_bytes; /* the whole head, with its empty line */
	size_t head_lines; /* header lines */
};

struct guard {
	size_t size;    /* of the head, after GUARD_DONE */
	size_t line;    /* where the line in work starts */
	size_t scanned; /* there is no LF between `line` and here */
	size_t lines;   /* header lines so far */
	bool skipped_empty, requested;
	bool http10, host, length, chunked; /* what has been seen */
};

enum guard_verdict { GUARD_MORE, GUARD_DONE, GUARD_REFUSED };

enum guard_verdict guard_feed(struct guard *g, const struct guard_limits *limits, struct str head,
			      const struct refusal **why);

/* For the Allow header: the methods that the guard lets through. */
#define GUARD_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"

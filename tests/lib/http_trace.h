/*
 * http_trace: what guard, parser and body reader make of a stream of requests, as text, so that
 * the same bytes cut differently can be compared. No server, no socket.
 */
#pragma once
#include "common/buf.h"

/*
 * Feed `stream` in pieces: `first` bytes, then `step` at a time. Appends to *trace a line for each
 * head, the bodies, and last a refusal ("refused 400 bad_framing") or "more". Aborts when
 * the parser understands a head in another way than the guard did.
 */
void http_trace(struct buf *trace, struct str stream, size_t first, size_t step);

/*
 * sse: log bytes as server-sent events (html.spec.whatwg.org, section 9.2): an event a line, its id
 * the offset behind it, so that Last-Event-ID resumes exactly there. Log bytes never become fields:
 * each line break in them, also a bare CR, begins a new "data:".
 */
#pragma once
#include "common/buf.h"

/* Append the events for `bytes`, which stand at `offset` in the log. */
void sse_write(struct buf *out, struct str bytes, uint64_t offset);

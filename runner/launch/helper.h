/*
 * helper: one short run of a runner's verb (sweep, probe): a document in, its output back, bounded
 * in time and size. `done` is called exactly once, also after helper_cancel() and never before
 * helper_start() has returned.
 *
 * Loop thread only; nothing blocks.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

struct uv_loop_s;
struct helper;

struct helper_opts {
	const char *program;
	const char *verb;
	char *text; /* the document; taken over, also on failure, and wiped */
	int64_t deadline_ms;
	/* `output` is borrowed for the call. *err (or NULL): it could not end, or not well. */
	void (*done)(struct str output, const struct err *err, void *data);
	void *data;
};

int helper_start(struct helper **out, struct uv_loop_s *loop, const struct helper_opts *opts,
		 struct err *err);
/* Kill it; `done` follows. */
void helper_cancel(struct helper *h);

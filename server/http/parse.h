/*
 * parse: a head that the guard has passed, taken apart. The only file that knows the HTTP parser
 * library, so that another one can take its place.
 *
 * Nothing is copied: a span is an offset into the text that was parsed, so that the text may move.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

struct span {
	uint32_t at, len;
};

struct head_field {
	struct span name, value;
};

struct head {
	struct span method, target;
	struct head_field *fields; /* in the order sent; memory is kept by head_clear() */
	size_t count, cap;
	uint64_t length; /* of the body, when has_length */
	bool has_length, chunked, http10, keep_alive;
};

static inline struct str span_of(struct span s, struct str text)
{
	return (struct str){ text.ptr + s.at, s.len };
}

/* -1: the parser does not see in `text` the one complete head that the guard saw. */
int head_parse(struct head *h, struct str text);
void head_clear(struct head *h);
void head_release(struct head *h);

/* The field number *from or later whose name is `name`, without case; *from moves behind it. */
bool head_next(const struct head *h, struct str text, const char *name, size_t *from,
	       struct str *value);
static inline bool head_first(const struct head *h, struct str text, const char *name,
			      struct str *value)
{
	size_t from = 0;
	return head_next(h, text, name, &from, value);
}

/* "OK" for 200. */
const char *http_reason(int status);

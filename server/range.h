/* range: the Range header of a GET (RFC 9110, section 14): one range of bytes. */
#pragma once
#include "common/err.h"
#include "common/str.h"

struct range {
	bool given;
	bool open;   /* "bytes=5-" */
	bool suffix; /* "bytes=-5": `last` is the count */
	uint64_t first, last;
};

/* Word "bad_offset". Several ranges at once are refused. */
int range_parse(struct range *out, struct str text, struct err *err);
/* [*first, *end) within `size` bytes; false when nothing of it exists. */
bool range_resolve(const struct range *r, uint64_t size, uint64_t *first, uint64_t *end);

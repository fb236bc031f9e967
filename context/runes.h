/* runes: UTF-8 as Go reads it: a byte that does not fit is U+FFFD and one byte long. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/str.h"

enum { RUNE_ERROR = 0xfffd };

/* The rune at p (p < end) and its length in bytes. */
size_t rune_decode(const char *p, const char *end, uint32_t *rune);
void rune_encode(struct buf *out, uint32_t rune);
/* White space off both ends, as Go's strings.TrimSpace has it: Unicode's. */
struct str rune_trim_space(struct str s);

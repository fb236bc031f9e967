/*
 * mask: take secrets out of a stream of bytes, wherever the stream was cut into pieces.
 *
 *   mask_add(m, &password);
 *   mask_feed(m, piece, &out);      what cannot be the beginning of a secret, masked
 *   mask_finish(m, &out);           the rest: call it where one output ends and another begins
 *
 * Found are the value itself, its base 64 at each of the three alignments (both alphabets), its
 * percent-encoded and its JSON-escaped forms, and each line of a value with several lines. Other
 * encodings cannot all be known: a build that reverses its secret prints it. Each covered stretch
 * becomes "***". A candidate is held back until it is decided: at most the longest pattern.
 */
#pragma once
#include "common/buf.h"
#include "common/str.h"

enum { MASK_MIN_BYTES = 4 }; /* shorter values would blot out half of every log */

struct mask;

struct mask *mask_create(void);
void mask_destroy(struct mask *m); /* wipes the patterns */
void mask_add(struct mask *m, struct str secret);
void mask_feed(struct mask *m, struct str bytes, struct buf *out);
void mask_finish(struct mask *m, struct buf *out);

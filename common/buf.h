/*
 * buf: a growable run of bytes with a ceiling, for building text and for reading input.
 *
 *   struct buf b = BUF_INIT;            no ceiling but memory: for text that we make ourselves
 *   struct buf b = BUF_LIMIT(65536);    for anything that comes from outside
 *   buf_addf(&b, "%s=%d", name, n);
 *   char *text = buf_detach(&b);        or buf_release(&b)
 *
 * `ptr` is NUL-terminated after any call that adds. Functions that add return 0, or -1 when the
 * ceiling would be passed; then the buf is unchanged and `full` is set, so that a chain of adds
 * can be checked once at its end.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/str.h"

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t limit; /* 0: none */
	bool full;    /* an add was refused */
};

#define BUF_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}
#define BUF_LIMIT(bytes)                                                                           \
	{                                                                                          \
		.limit = (bytes)                                                                   \
	}

void buf_release(struct buf *b); /* frees, leaves it zeroed but for the limit */
void buf_clear(struct buf *b);   /* empties, keeps the memory */

int buf_add(struct buf *b, const void *data, size_t len);
int buf_adds(struct buf *b, const char *text);
int buf_addc(struct buf *b, char c);
int buf_addstr(struct buf *b, struct str s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list args);

/* Room for `len` more bytes at ptr + len, to be filled by the caller and claimed with buf_grown().
 */
int buf_reserve(struct buf *b, size_t len);
void buf_grown(struct buf *b, size_t len);

void buf_drop_front(struct buf *b, size_t len); /* the first bytes have been consumed */
void buf_truncate(struct buf *b, size_t len);

/* The text, owned by the caller (never NULL); the buf is empty afterwards. */
char *buf_detach(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->ptr ? b->ptr : "", b->len };
}

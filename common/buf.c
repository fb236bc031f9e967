#include "common/buf.h"

#include <stdio.h>

void buf_release(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ .limit = b->limit };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (b->ptr)
		b->ptr[0] = '\0';
}

int buf_reserve(struct buf *b, size_t len)
{
	if (b->limit && (len > b->limit || b->len > b->limit - len)) {
		b->full = true;
		return -1;
	}
	size_t need = b->len + len + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap + b->cap / 2;
	cap = cap < need ? need : cap;
	cap = cap < 64 ? 64 : cap;
	b->ptr = xrealloc(b->ptr, cap);
	b->cap = cap;
	b->ptr[b->len] = '\0';
	return 0;
}

void buf_grown(struct buf *b, size_t len)
{
	b->len += len;
	b->ptr[b->len] = '\0';
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	if (buf_reserve(b, len) < 0)
		return -1;
	if (len)
		memcpy(b->ptr + b->len, data, len);
	buf_grown(b, len);
	return 0;
}

int buf_adds(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addstr(struct buf *b, struct str s)
{
	return buf_add(b, s.ptr, s.len);
}

int buf_vaddf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || buf_reserve(b, (size_t)n) < 0)
		return -1;
	vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, args);
	buf_grown(b, (size_t)n);
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int rc = buf_vaddf(b, fmt, args);
	va_end(args);
	return rc;
}

void buf_drop_front(struct buf *b, size_t len)
{
	if (len == 0)
		return;
	memmove(b->ptr, b->ptr + len, b->len - len);
	buf_truncate(b, b->len - len);
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->ptr[len] = '\0';
	}
}

char *buf_detach(struct buf *b)
{
	char *text = b->ptr ? b->ptr : xstrdup("");
	*b = (struct buf){ .limit = b->limit };
	return text;
}

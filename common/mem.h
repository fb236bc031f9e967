/*
 * mem: allocation that does not fail. Out of memory ends the process with one line, in one place;
 * that is sound because the truth is on disk and every input has a ceiling before it is allocated.
 */
#pragma once
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed */
void *xrealloc(void *ptr, size_t size);
void *xreallocarray(void *ptr, size_t count, size_t size); /* dies on overflow */
char *xstrdup(const char *text);                           /* NULL gives NULL */
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *xmemdup(const void *data, size_t len);

/* A zeroed T on the heap. */
#define xnew(T) ((T *)xcalloc(1, sizeof(T)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

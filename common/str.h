/*
 * str: a borrowed slice of bytes, pointer then length. It owns nothing, need not end in NUL, and
 * may hold any byte. Build text with buf (buf.h), look at it with str.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/mem.h"

struct str {
	const char *ptr;
	size_t len;
};

/* For printf's "%.*s". */
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

/* A literal, without strlen at run time. */
#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

static inline struct str str_from(const char *text) /* NULL gives the empty slice */
{
	return (struct str){ text ? text : "", text ? strlen(text) : 0 };
}

static inline struct str str_slice(struct str s, size_t from, size_t to) /* clamped */
{
	to = to > s.len ? s.len : to;
	from = from > to ? to : from;
	return (struct str){ s.ptr + from, to - from };
}

static inline struct str str_after(struct str s, size_t from)
{
	return str_slice(s, from, s.len);
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct str s, const char *text)
{
	return str_eq(s, str_from(text));
}

static inline bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.len >= n && memcmp(s.ptr, prefix, n) == 0;
}

static inline bool str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);
	return s.len >= n && memcmp(s.ptr + s.len - n, suffix, n) == 0;
}

/* Index of the first `c` at or after `from`, or s.len. */
static inline size_t str_find(struct str s, char c, size_t from)
{
	const char *p = from < s.len ? memchr(s.ptr + from, c, s.len - from) : NULL;
	return p ? (size_t)(p - s.ptr) : s.len;
}

/* A NUL-terminated copy, owned by the caller. Bytes after an inner NUL are kept but not seen. */
static inline char *str_dup(struct str s)
{
	char *copy = xmalloc(s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

bool str_ieq(struct str a, struct str b);      /* ASCII letters without case */
bool str_is_i(struct str s, const char *text); /* the same, against a C string */
struct str str_trim(struct str s);             /* blanks, tabs, CR and LF off both ends */
bool str_has_control(struct str s);            /* any byte below 0x20, or 0x7f */
bool str_is_utf8(struct str s);                /* well-formed: no surrogates, no overlong forms */
/* Bytes of the well-formed UTF-8 sequence that begins at p, or 0. `left` is 1 or more. */
size_t str_utf8_length(const char *p, size_t left);

/*
 * Cut *rest at the first `sep`: returns true and the part before it in *part while something is
 * left. "a,b," gives "a", "b", "".
 */
bool str_split(struct str *rest, char sep, struct str *part);

/* Decimal digits only, no sign, no blank. False when malformed or above `max`. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *out);

/*
 * How far apart two words are (Levenshtein), for "did you mean": the nearest of `words`
 * (NULL-terminated), or NULL when none is near enough to be meant.
 */
const char *str_nearest(struct str word, const char *const *words);

/*
 * strvec: a growing list of strings that it owns, always NULL-terminated, so that `items` can be
 * an argv. Zeroed memory is an empty list.
 */
#pragma once
#include <stddef.h>

#include "common/str.h"

struct strvec {
	char **items; /* NULL until the first push */
	size_t len;
	size_t cap;
};

void strvec_push(struct strvec *v, const char *text); /* copied */
void strvec_push_str(struct strvec *v, struct str s); /* copied */
void strvec_pushf(struct strvec *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strvec_push_take(struct strvec *v, char *text); /* owned from now on */
void strvec_push_all(struct strvec *v, const struct strvec *from);
void strvec_release(struct strvec *v);
int strvec_find(const struct strvec *v, const char *text); /* index, or -1 */

#define STRVEC_FOREACH(item, v)                                                                    \
	for (char **item = (v)->items; item && item < (v)->items + (v)->len; item++)

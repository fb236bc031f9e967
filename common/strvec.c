#include "common/strvec.h"

#include <stdarg.h>
#include <stdio.h>

void strvec_push_take(struct strvec *v, char *text)
{
	if (v->len + 2 > v->cap) {
		v->cap = v->cap ? v->cap * 2 : 8;
		v->items = xreallocarray(v->items, v->cap, sizeof *v->items);
	}
	v->items[v->len++] = text;
	v->items[v->len] = NULL;
}

void strvec_push(struct strvec *v, const char *text)
{
	strvec_push_take(v, xstrdup(text));
}

void strvec_push_str(struct strvec *v, struct str s)
{
	strvec_push_take(v, str_dup(s));
}

void strvec_pushf(struct strvec *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	strvec_push_take(v, text);
}

void strvec_push_all(struct strvec *v, const struct strvec *from)
{
	for (size_t i = 0; i < from->len; i++)
		strvec_push(v, from->items[i]);
}

void strvec_release(struct strvec *v)
{
	for (size_t i = 0; i < v->len; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strvec){ 0 };
}

int strvec_find(const struct strvec *v, const char *text)
{
	for (size_t i = 0; i < v->len; i++) {
		if (strcmp(v->items[i], text) == 0)
			return (int)i;
	}
	return -1;
}

#include "common/err.h"

#include <stdio.h>
#include <string.h>

#include "common/str.h"

/*
 * A message may quote hostile input, cut anywhere: no control character (U+0000 to U+001F, U+007F
 * to U+009F) and nothing but UTF-8 reaches a log, a terminal or an answer.
 */
static void neutralise(char *text)
{
	for (char *p = text; *p;) {
		size_t n = str_utf8_length(p, strlen(p));
		unsigned char first = (unsigned char)p[0];
		bool control = n == 1 ? first < 0x20 || first == 0x7f
				      : first == 0xc2 && (unsigned char)p[1] < 0xa0;
		if (n == 0 || control)
			*p++ = '?';
		else
			p += n;
	}
}

static void vset(struct err *err, enum err_code code, const char *word, const char *fmt,
		 va_list args)
{
	err->code = code;
	snprintf(err->word, sizeof err->word, "%s", word);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	neutralise(err->msg);
}

int err_set(struct err *err, enum err_code code, const char *word, const char *fmt, ...)
{
	if (!err)
		return -1;
	va_list args;
	va_start(args, fmt);
	vset(err, code, word, fmt, args);
	va_end(args);
	return -1;
}

int err_set_errno(struct err *err, enum err_code code, const char *word, int errnum,
		  const char *fmt, ...)
{
	if (!err)
		return -1;
	va_list args;
	va_start(args, fmt);
	vset(err, code, word, fmt, args);
	va_end(args);
	size_t used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s", strerror(errnum));
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	if (!err)
		return -1;
	char inner[ERR_MSG_BYTES];
	memcpy(inner, err->msg, sizeof inner);
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	va_end(args);
	size_t used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s", inner);
	neutralise(err->msg);
	return -1;
}

bool err_is(const struct err *err, const char *word)
{
	return strcmp(err->word, word) == 0;
}

const char *err_code_name(enum err_code code)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_INVALID] = "invalid",
		[ERR_NOTFOUND] = "not_found",
		[ERR_CONFLICT] = "conflict",
		[ERR_DENIED] = "denied",
		[ERR_LIMIT] = "limit",
		[ERR_TIMEOUT] = "timeout",
		[ERR_CANCELED] = "canceled",
		[ERR_UNAVAILABLE] = "unavailable",
		[ERR_INTERNAL] = "internal",
	};
	return names[code];
}

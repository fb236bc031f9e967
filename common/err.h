/*
 * err: one failure, on the caller's stack.
 *
 * Functions return 0 or -1 and take `struct err *err` last; it is set only on failure, and `out`
 * parameters are untouched then. Wrap on the way up with err_wrap(), log once at the edge.
 * `code` says what the caller can do, `word` is the stable machine word of the contract
 * (error.code, a run's errorCode), `msg` is one short line for people: what, where, what would be
 * right. NULL is accepted for err everywhere.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,     /* the input is wrong: tell the user */
	ERR_NOTFOUND,    /* there is no such thing */
	ERR_CONFLICT,    /* it is in a state that forbids this */
	ERR_DENIED,      /* the caller may not, or could not show who it is */
	ERR_LIMIT,       /* a ceiling was reached */
	ERR_TIMEOUT,     /* a deadline passed */
	ERR_CANCELED,    /* somebody asked us to stop */
	ERR_UNAVAILABLE, /* not now: try again */
	ERR_INTERNAL,    /* our fault, or the machine's */
};

enum { ERR_MSG_BYTES = 512, ERR_WORD_BYTES = 40 };

struct err {
	enum err_code code;
	char word[ERR_WORD_BYTES]; /* "" until set */
	char msg[ERR_MSG_BYTES];   /* no newline at the end; control bytes are escaped */
};

/* Set *err and return -1, so that `return err_set(…)` reads well. `word` is copied. */
int err_set(struct err *err, enum err_code code, const char *word, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* As err_set(), with ": <strerror(errnum)>" at the end. */
int err_set_errno(struct err *err, enum err_code code, const char *word, int errnum,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Put "prefix: " before the message, keeping code and word. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is the word of *err this one? */
bool err_is(const struct err *err, const char *word);

/* "invalid", "not_found", … for logs. */
const char *err_code_name(enum err_code code);

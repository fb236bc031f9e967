/*
 * json_scan: one pass over a JSON text that checks all of it and keeps the few values wanted.
 *
 * It exists because jansson's DOM costs 165 us for a 10 KB webhook and 3.4 ms for 200 KB
 * (docs/performance.md), 26 times the HMAC of the same bytes, on the loop. It accepts exactly what
 * json_read() accepts but for duplicate keys outside the wanted paths (the first wanted one wins
 * and a second is refused): grammar, UTF-8, escapes (NUL and lone surrogates refused), numbers
 * that fit (whole ones int64_t, others a double), depth, node count, no trailing bytes.
 *
 *   struct json_want wants[] = {
 *           { .path = "ref" }, { .path = "repository.clone_url" }, { .path = "deleted" },
 *   };
 *   if (json_scan(text, wants, ARRAY_LEN(wants), NULL, err) < 0) …
 *   wants[0].kind == JSON_WANT_STRING, wants[0].value …
 *   json_wants_release(wants, ARRAY_LEN(wants));
 *
 * At most 64 wants.
 */
#pragma once
#include "common/err.h"
#include "common/json.h"
#include "common/str.h"

enum json_want_kind {
	JSON_WANT_ABSENT = 0,
	JSON_WANT_STRING,
	JSON_WANT_NUMBER, /* value is its text */
	JSON_WANT_TRUE,
	JSON_WANT_FALSE,
	JSON_WANT_NULL,
	JSON_WANT_OBJECT, /* value is the raw text, borrowed */
	JSON_WANT_ARRAY,  /* value is the raw text, borrowed */
};

struct json_want {
	const char *path; /* at most 8 keys of nested objects joined by '.', no arrays between */
	enum json_want_kind kind;
	struct str value; /* into the text, or into `owned` when escapes had to be decoded */
	char *owned;
};

/* Errors as json_read(); the text must be an object at its root ("bad_payload" otherwise). */
int json_scan(struct str text, struct json_want *wants, size_t n, const struct json_limits *limits,
	      struct err *err);
void json_wants_release(struct json_want *wants, size_t n);

/* Only check, whatever stands at the root; json_read() does this before it builds a tree. */
int json_check(struct str text, const struct json_limits *limits, struct err *err);

/*
 * The elements of an array that json_scan() kept, as raw text without the blanks around it; strings
 * with their quotes and escapes. An object among them can be scanned in its turn.
 *
 *   struct str rest = want->value, element;            want->kind == JSON_WANT_ARRAY
 *   while (json_array_next(&rest, &element)) …
 *
 * It trusts that the text has been checked: nothing else may be walked with it.
 */
bool json_array_next(struct str *rest, struct str *element);

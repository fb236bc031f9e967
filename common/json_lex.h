/*
 * json_lex: the strings and numbers of JSON, checked in place. Internal to json.c and json_scan.c.
 *
 * A lexer function takes the text from `p` to `end` and returns the byte behind what it accepted,
 * or NULL with *fault set.
 */
#pragma once
#include <stdbool.h>

#include "common/buf.h"

struct json_fault {
	const char *at;  /* in the text */
	const char *why; /* a literal */
};

/* `p` stands behind the opening quote. *escaped: are there escapes to decode? */
const char *json_lex_string(const char *p, const char *end, bool *escaped,
			    struct json_fault *fault);

/* Decode the inside of a string that json_lex_string() accepted. */
void json_lex_decode(struct buf *out, struct str inside);

/* `p` stands on '-' or a digit. Whole numbers must fit int64_t, others a double. */
const char *json_lex_number(const char *p, const char *end, struct json_fault *fault);

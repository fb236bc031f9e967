/*
 * ignore_regex: the regular expressions that ignore_glob.c makes: anchors, literals, classes,
 * escapes, "[^/]*",
 * ".*" and the optional group of whole folders in a row, in the syntax of Go's regexp. No
 * alternatives, no nesting: a row of items, run as a set of positions in that row.
 */
#pragma once
#include <stdbool.h>

#include "common/str.h"

struct regex;

/* NULL when it is no expression ("[b-a]", an unknown escape). */
struct regex *regex_compile(struct str expression);
void regex_destroy(struct regex *r);

/* Does it match the text, or one of the prefixes that end before a `separator`? */
bool regex_matches_prefix(const struct regex *r, struct str text, char separator);

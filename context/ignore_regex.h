/*
 * ignore_regex: the regular expressions that ignore_glob.c makes: anchors, literals, classes,
 * escapes, "[^/]*", ".*" and the optional "(.*" "/)?" in a row, in the syntax of Go's regexp. No
 * alternatives, no nesting: a row of items, run as a set of positions in that row. The time is
 * that of expression times text at worst, and mostly that of the text.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct regex_range {
	uint32_t lo, hi;
};

enum regex_kind {
	REGEX_CLASS,   /* one rune of the ranges (a literal is a range of one) */
	REGEX_FOLDERS, /* the optional group: nothing, or anything up to and with a '/' */
	REGEX_BEGIN,   /* '^' and \A: holds at the beginning only */
	REGEX_END,     /* '$' and \z: holds at the end only */
	REGEX_EDGE,    /* \b: between a word's letter and something else */
	REGEX_NO_EDGE, /* \B */
};

struct regex_item {
	enum regex_kind kind;
	bool star;                  /* any number of times */
	bool negated;               /* the class is what is not in the ranges */
	struct regex_range *ranges; /* &one, or memory of its own */
	size_t len;
	struct regex_range one; /* most have one: that needs no memory of its own */
};

struct regex {
	struct regex_item *items;
	size_t len;
	bool open_end; /* what follows a match does not matter: the '$' was swallowed by what stands
			  before it */
};

/* NULL when it is no expression ("[b-a]", an unknown escape) or asks for Unicode's tables (\pL). */
struct regex *regex_compile(struct str expression);
void regex_destroy(struct regex *r);

/* Does it match the text, or one of the prefixes that end before a '/'? */
bool regex_matches_path_or_parent(const struct regex *r, struct str text);

/* What every match begins with, as far as that is literal. */
void regex_head(const struct regex *r, struct buf *out);

/*
 * A text that every match holds once a '/' was put before and behind it. From `last` on, it is of
 * the last part of the match; CLUE_NOT_LAST: none of it is known to be.
 */
typedef void clue_fn(void *data, struct str text, size_t last);
#define CLUE_NOT_LAST SIZE_MAX

/* All literal texts of the expression. */
void regex_clues(const struct regex *r, clue_fn *clue, void *data);

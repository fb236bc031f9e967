/*
 * ignore_trail: verdicts over paths, remembering the way to the one before: for each folder on it,
 * the rules that match it or a parent, and those that could match below. Whoever walks a tree asks
 * for the paths of one folder one after the other, so that mostly the last part is new, and what is
 * new in it is what the index says.
 */
#pragma once
#include "context/ignore.h"

struct glob;
struct ignore_index;
struct ignore_trail;

struct ignore_rule {
	char *text;    /* as the reader made it, "!" included */
	char *pattern; /* cleaned once more, without "!" */
	struct glob *glob;
	bool include; /* "!": re-includes */
	int line;
};

/* Rules and index are borrowed; they must not change. */
struct ignore_trail *ignore_trail_create(const struct ignore_rule *rules,
					 const struct ignore_index *index);
void ignore_trail_destroy(struct ignore_trail *t); /* accepts NULL */

void ignore_trail_follow(struct ignore_trail *t, struct str path, struct ignore_verdict *out);

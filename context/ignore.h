/*
 * ignore: .dockerignore rules, with the verdicts of moby/patternmatcher (commit 5a6d842), its
 * oddities included: a path is ignored when the last rule that can change its verdict and that
 * matches it, or one of its parent folders, says so (reference/acr-features.md, section 4.1).
 * Linear time on any rule.
 *
 * Paths are relative to the context's root, with '/' between parts and none at the ends.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct ignore;

struct ignore_limits {
	size_t bytes; /* of the file: 256 KiB */
	size_t rules; /* 10,000 */
};
#define IGNORE_LIMITS_DEFAULT                                                                      \
	{                                                                                          \
		.bytes = 256 << 10, .rules = 10000                                                 \
	}

struct ignore_verdict {
	bool ignored;
	const char *rule; /* as it was cleaned, "!" included; NULL: no rule decided. Borrowed from
			     the set. */
	int line;         /* from 1; 0 for a rule of our own */
};

/*
 * Read the text of an ignore file; `name` is for messages. Words: "ignore_syntax" with the line,
 * "ignore_too_large".
 */
int ignore_read(struct ignore **out, struct str text, const char *name,
		const struct ignore_limits *limits, struct err *err);
void ignore_destroy(struct ignore *set); /* NULL is an empty set everywhere */

/* Put a rule of our own (line 0) before all others: ".git" for local folders. It must be
 * well-formed. */
void ignore_prepend(struct ignore **set, const char *rule);

/* Cheap however many rules there are. Not from two threads at once: the set holds scratch space. */
void ignore_match(const struct ignore *set, struct str path, struct ignore_verdict *out);

/*
 * May a walk leave out everything below this ignored folder? Only when no re-include rule could
 * match below it; a wildcard is taken to match anything.
 */
bool ignore_may_prune(const struct ignore *set, struct str folder);

size_t ignore_rules(const struct ignore *set);
/* The i-th rule as the reader made it of the file ("!" included), for tests. */
const char *ignore_rule(const struct ignore *set, size_t i);

/*
 * dockerfile: a look at a Dockerfile before the engine gets it. The engine parses and judges it;
 * this only finds what must be known first: is it within the limits, does it ask for powers that no
 * build gets, does it run anything (and so need a network), and on which line an instruction
 * stands, for messages.
 *
 * The grammar is Docker's as far as needed: parser directives, comments, continued lines with the
 * chosen escape character. A line that begins with no known instruction is not counted: it is the
 * body of a here-document, or the engine's to refuse.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/str.h"

enum { DOCKERFILE_INSTRUCTIONS_MAX = 500 };

struct dockerfile_step {
	int line;   /* of its first word, from 1 */
	char *text; /* "RUN make  all": continued lines joined, comments left out */
};

struct dockerfile {
	struct dockerfile_step *steps;
	size_t len;
	char *syntax; /* of "# syntax=…", or NULL */
	bool runs;    /* there is a RUN */
	bool heredoc; /* something looks like a here-document */
};

/*
 * Words: "dockerfile_limit" (too many instructions), "dockerfile_invalid" (NUL bytes, nothing in
 * it), "feature_denied" (RUN --security=insecure, --network=host, --device).
 */
int dockerfile_scan(struct dockerfile *out, struct str text, struct err *err);
void dockerfile_release(struct dockerfile *d);

/* The line of the step that an engine prints like this; 0 when there is none or several. */
int dockerfile_line_of(const struct dockerfile *d, struct str text);

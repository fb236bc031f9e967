/*
 * cause: every way in which a run can end other than well: a stable word (errorCode), the status
 * that it belongs to, and a sentence that says whose move it is. Failed is the user's move, Error
 * ours or the operator's (design.md, promise 3).
 */
#pragma once
#include "common/err.h"
#include "model/run.h"

struct cause {
	const char *word;       /* "git_timeout" */
	enum run_status status; /* RUN_FAILED, RUN_ERROR, RUN_TIMEOUT or RUN_CANCELED */
	const char *hint;       /* what to do: "Check that …" */
};

/* The row of a word; an unknown one gives the row "internal" (Error). Never NULL. */
const struct cause *cause_of(const char *word);
/* All rows, for the documentation; the last one has word == NULL. */
const struct cause *cause_table(void);

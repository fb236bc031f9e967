/*
 * options: a verb's options as a table, which parses the command line and prints --help.
 *
 * Options may follow operands; "--" ends them. "--name VALUE", "--name=VALUE", "-nVALUE", "-n
 * VALUE". A value is taken literally: there is no "@file" expansion. Errors name the nearest
 * option.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/strvec.h"

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *, borrowed from argv */
	OPTION_LIST,   /* struct strvec, repeatable */
	OPTION_NUMBER, /* int64_t, not negative */
	OPTION_BOOL,   /* bool, value true or false */
};

struct option_def {
	char letter; /* or 0 */
	const char *name;
	enum option_kind kind;
	void *target;
	const char *argument; /* "IMAGE": for the help; NULL for a flag */
	const char *help;
};

/* Two tables, both ended by a row without a name: the verb's own and the global ones. `operands`
 * gets what is no option. Word "usage". */
int options_parse(const struct option_def *own, const struct option_def *global, int argc,
		  char **argv, struct strvec *operands, struct err *err);

/* How many words at the beginning are options of this table, each with its value. */
int options_leading(const struct option_def *table, int argc, char **argv);

/* Aligned lines "  -t, --image IMAGE   help". */
void options_help(struct buf *out, const struct option_def *table);

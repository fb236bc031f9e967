/* help: what --help prints, out of the same tables that parse. Also the source of the man pages. */
#pragma once
#include <stdio.h>

#include "cli/cli.h"

enum { HELP_GLOBAL_OPTIONS = 10 };

/* Fill the table of the options that every verb takes; the last row has no name. */
void help_global_options(struct cli *cli, struct option_def table[HELP_GLOBAL_OPTIONS]);
/* `own` and `global` may be NULL. */
void help_print_verb(const struct verb *verb, const struct option_def *own,
		     const struct option_def *global);
/* The verbs that begin with this word. */
void help_print_group(FILE *to, const char *word);
void help_print_program(FILE *to);
/* Is --help or -h among the options? For words that nobody has parsed yet. */
bool help_is_wanted(int argc, char **argv);

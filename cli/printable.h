/*
 * printable: text of the service, of a repository or of a command line, as a terminal may show it:
 * blanks for tabs and newlines, '?' for every other control character and for what is not UTF-8.
 */
#pragma once
#include "common/buf.h"

void printable_add(struct buf *out, const char *text); /* NULL: nothing */

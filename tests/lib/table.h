/*
 * table: a tab-separated table of tests/fixtures/, one row a case. Lines that begin with "# " and
 * empty lines are comments; the first other line names the columns and is left out. Missing fields
 * at the end of a row are empty.
 */
#pragma once
#include "common/buf.h"

enum { TABLE_COLUMNS = 12 };

struct table {
	struct buf text;
	struct str (*rows)[TABLE_COLUMNS];
	size_t len;
};

/* Dies when the file cannot be read. */
void table_load(struct table *t, const char *path);
void table_release(struct table *t);
/* The notation of hostile inputs: \r \n \t \0 \\ \xHH, and {N*TEXT} for TEXT repeated. */
void table_decode(struct buf *out, struct str field);

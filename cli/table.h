/* table: rows for people (aligned, cut to the terminal's width) and for scripts (tsv, never cut).
 */
#pragma once
#include <stddef.h>

#include "cli/output.h"

/* Columns of the terminal that standard output is, or 0 when it is none. */
size_t table_terminal_width(void);

/* `value` is a resource or an array of them; `width` 0: not cut, and no bold title line. */
void table_add(struct buf *out, const json_t *value, const struct column *columns, size_t width);
/* No title line; a tab between cells, which hold none themselves. */
void table_add_tsv(struct buf *out, const json_t *value, const struct column *columns);

/* table: rows for people (aligned, cut to the terminal's width) and for scripts (tsv, never cut).
 */
#pragma once
#include "cli/output.h"

void table_print(const json_t *value, const struct column *columns);
void table_print_tsv(const json_t *value, const struct column *columns);

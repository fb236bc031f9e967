/*
 * framing_table: tests/fixtures/http-framing.tsv, the raw requests and their wanted answers.
 * Notation of `input`: \r \n \t \0 \\ \xHH, and {N*TEXT} for TEXT repeated up to the first '}'.
 */
#pragma once
#include "common/buf.h"

struct framing_row {
	char *id;
	struct buf input;
	int status;
	char *code; /* "" when the request is fine */
};

struct framing_table {
	struct framing_row *rows;
	size_t count;
};

void framing_table_load(struct framing_table *t, const char *path);
void framing_table_release(struct framing_table *t);

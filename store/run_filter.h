/*
 * run_filter: a filter (model/filter.h) as the condition of a query. The text holds only words of
 * ours; every value of the caller's is a bound parameter.
 */
#pragma once
#include "common/buf.h"
#include "model/filter.h"

struct stmt;

struct run_query_arg {
	char *text; /* NULL: the number */
	int64_t number;
};

struct run_query_args {
	struct run_query_arg *items;
	size_t len;
};

/* Add "(task = ? AND …)" to *sql and its values to *args, in the order of the question marks. */
void run_filter_add(struct buf *sql, struct run_query_args *args, const struct filter *filter);
void run_query_args_text(struct run_query_args *args, const char *text);
void run_query_args_release(struct run_query_args *args);
void run_query_args_bind(struct stmt *s, const struct run_query_args *args);

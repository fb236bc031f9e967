/*
 * filter: $filter of a listing of runs, as a tree (grammar: reference/acr-wire.md, section 9.2).
 *
 *   TaskName eq 'web' and (Status eq 'Failed' or Status eq 'Error')
 *
 * Property names are compared without case. Only times have an order; contains() searches the
 * output images. Bounded: 2 KiB of text, depth 32, 64 terms.
 * Word "bad_filter", with the column where it went wrong and the known names.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

enum filter_op {
	FILTER_AND,
	FILTER_OR,
	FILTER_EQ,
	FILTER_NE,
	FILTER_GT,
	FILTER_GE,
	FILTER_LT,
	FILTER_LE,
	FILTER_CONTAINS,
};

enum filter_field {
	FILTER_RUN_ID,
	FILTER_RUN_TYPE,
	FILTER_STATUS,
	FILTER_CREATE_TIME,
	FILTER_FINISH_TIME,
	FILTER_OUTPUT_IMAGES, /* contains() only: "repository@digest" */
	FILTER_ARCHIVED,
	FILTER_TASK_NAME,
	FILTER_BRANCH, /* ours: branchName of the source trigger */
};

struct filter {
	enum filter_op op;
	enum filter_field field; /* of a comparison */
	char *text;              /* string value; statuses and types in their canonical spelling */
	int64_t number;          /* time in ms, or 0/1 for a boolean */
	struct filter *left, *right; /* of and, or */
};

int filter_parse(struct filter **out, struct str text, struct err *err);
void filter_destroy(struct filter *f);

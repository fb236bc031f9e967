/* filter_text: builds a $filter, term by term, joined by "and" (grammar: model/filter.h). */
#pragma once
#include "common/buf.h"
#include "common/err.h"

/* "prefix'value'", quotes doubled; nothing when value is NULL. */
void filter_text_add(struct buf *filter, const char *prefix, const char *value);
/* "contains(property,'value')" */
void filter_text_contains(struct buf *filter, const char *property, const char *value);
/* "Status eq '…'" after checking the name; word "usage". */
int filter_text_status(struct buf *filter, const char *status, struct err *err);

/* check_line: one line of check-health, as JSON: {"name","ok","message","hint"}. */
#pragma once
#include <stdbool.h>

#include "common/buf.h"

/* `hint` says what to do when it is not well; NULL for none. */
void check_line_add(struct buf *lines, const char *name, bool ok, const char *message,
		    const char *hint);

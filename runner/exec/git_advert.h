/*
 * git_advert: a look at the list of refs while it passes to libgit2, so that a server without end
 * or with endless names is noticed before libgit2 keeps what it sends.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

struct git_advert {
	int64_t bytes;
	size_t left; /* bytes of the line under way */
	char digits[4];
	size_t digits_len;
};

/*
 * "git_too_large": over 64 MiB in all or 4 KiB in a line. "git_protocol": no lines of the git
 * protocol.
 */
int git_advert_feed(struct git_advert *a, struct str bytes, struct err *err);

/*
 * gitmodules: the file .gitmodules of a commit. Pure. What its URLs mean: submodule_url.h.
 *
 * The syntax is that of git-config(1), read by ourselves: libgit2's reader follows include.path to
 * files of this machine, and forgives what git's own checks refuse.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

enum { GITMODULES_BYTES = 1 << 20, GITMODULES_ENTRIES = 1000 };

/* One [submodule "name"]. Owned strings. */
struct gitmodule {
	char *name;
	char *path; /* from the root of its repository; NULL: none */
	char *url;  /* as it is written; NULL: none */
	bool skip;  /* update = none: git leaves its folder empty */
	int path_line, url_line;
};

struct gitmodules {
	struct gitmodule *items;
	size_t len, cap;
};

/*
 * Every entry is checked, also those that nobody uses: a name or path that is empty, absolute, an
 * option, holds ".." or a control character (CVE-2018-11235, CVE-2018-17456, CVE-2025-48384), and
 * a file that is no git configuration, are "git_unsafe_submodule", and so, with ERR_LIMIT, is too
 * much of it; a URL that submodule_url_check() refuses is "url_invalid". The message has the line.
 */
int gitmodules_read(struct gitmodules *out, struct str text, struct err *err);
void gitmodules_release(struct gitmodules *m); /* accepts a zeroed one */

/* The entry whose path this is, the one that says so last; NULL when none does. */
const struct gitmodule *gitmodules_find(const struct gitmodules *m, struct str path);

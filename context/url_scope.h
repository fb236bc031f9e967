/*
 * url_scope: does a URL lie below another one, so that what is kept for the one may be shown to the
 * other? Pure; both are read as policy_check_url() leaves them.
 *
 *   https://git.test/acme/        covers https://GIT.test:443/acme/app.git
 *                                 but neither https://git.test/acme-evil nor http://git.test/acme
 *   https://git.test/acme/app     is the repository https://git.test/acme/app.git, and back; so is
 *                                 https://git.test/acme/app.git/info/lfs below it
 *
 * Scheme and host are compared without case, the path by whole components, percent-decoded; a user
 * part, a query and a fragment do not count. A path that servers may read in more than one way
 * (dots, escaped slashes, control characters) lies below nothing.
 */
#pragma once
#include <stdbool.h>

#include "common/str.h"

/*
 * How narrow the scope is, when it covers `url`: the number of components of its path, 0 for a host
 * alone. -1: it does not cover it, or one of the two is no http or https URL.
 */
int url_scope_depth(struct str scope, struct str url);

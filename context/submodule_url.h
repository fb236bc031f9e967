/*
 * submodule_url: where a submodule is fetched from, from what .gitmodules says. Pure.
 *
 * git reads much as a URL: paths of this machine, programs ("ext::"), options. Here a submodule is
 * fetched as the repository of a run is, under the same policy.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/strvec.h"

struct policy;

/*
 * The URL as it is written, before anybody asks for it: "url_invalid" when it is empty, looks like
 * an option, names a transport helper ("ext::") or a file, has no host, or holds a control
 * character, also an encoded one.
 */
int submodule_url_check(struct str url, struct err *err);

/*
 * The address, without a user part; *out is the caller's. "./x" and "../x" go from `base`, the URL
 * of the repository that holds .gitmodules, by git's rule: as text, where the whole of base is the
 * folder that "./" means. Words: "url_invalid" (also for "../" above the host), and those of
 * policy_check_url(). ssh is "scheme_denied", with a message that says what to write instead.
 */
int submodule_url_resolve(char **out, struct str url, struct str base, const struct policy *policy,
			  struct err *err);

/*
 * May a run of the repository `main_url` fetch a submodule from `url`? From its own host and port
 * always, from others when `hosts` lists the host; which ports may be reached is the policy's.
 */
bool submodule_host_allowed(const char *url, const char *main_url, const struct strvec *hosts);

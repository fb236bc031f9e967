/*
 * .gitmodules: the input is one. No file ends the process; whatever is accepted is safe to use as a
 * path, and as a URL leads to https, on the host of the superproject when it is relative.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "context/gitmodules.h"
#include "context/policy.h"
#include "context/submodule_url.h"

static const char base[] = "https://forge.example/acme/app.git";

static void must(bool good)
{
	if (!good)
		abort();
}

static void try_path(const char *path)
{
	must(*path && *path != '/' && *path != '-' && !str_has_control(str_from(path)));
	for (const char *p = path; (p = strstr(p, "..")); p++) {
		bool begins = p == path || p[-1] == '/', ends = !p[2] || p[2] == '/';
		must(!(begins && ends));
	}
}

static void try_url(const char *url, const struct policy *policy)
{
	struct err err = { 0 };
	char *address;

	must(*url && *url != '-' && !str_has_control(str_from(url)));
	if (submodule_url_resolve(&address, str_from(url), STR(base), policy, &err) < 0) {
		must(err.code != ERR_NONE && *err.word);
		return;
	}
	must(policy_check_url(str_from(address), policy, &err) == 0);
	must(str_is_i(str_slice(str_from(address), 0, 8), "https://"));
	if (*url == '.')
		must(str_starts(str_from(address), "https://forge.example/"));
	submodule_host_allowed(address, base, policy->schemes);
	free(address);
}

static void try_module(const struct gitmodules *modules, const struct gitmodule *m,
		       const struct policy *policy)
{
	try_path(m->name);
	if (m->url)
		try_url(m->url, policy);
	if (!m->path)
		return;
	try_path(m->path);
	const struct gitmodule *found = gitmodules_find(modules, str_from(m->path));
	must(found && found->path_line >= m->path_line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "https", *https[] = { name, NULL };
	const struct strvec schemes = { .items = https, .len = 1 };
	const struct policy policy = { .schemes = &schemes };
	struct gitmodules modules;
	struct err err = { 0 };

	if (gitmodules_read(&modules, (struct str){ (const char *)data, size }, &err) < 0) {
		must(err.code != ERR_NONE && *err.word && *err.msg);
		return 0;
	}
	for (size_t i = 0; i < modules.len; i++)
		try_module(&modules, &modules.items[i], &policy);
	gitmodules_release(&modules);
	return 0;
}

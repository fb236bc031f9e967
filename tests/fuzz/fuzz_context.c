/*
 * Context strings: what is read can be asked of the policy, its URL reads as itself again, and a
 * password never stays in it.
 */
#include "tests/fuzz/fuzz.h"

#include "context/context.h"
#include "context/policy.h"
#include "context/url_scope.h"

static void must(bool good)
{
	if (!good)
		abort();
}

/* A git URL without anything but the address. Only github.com/… may come without ".git". */
static void reads_as_itself(const struct context *c)
{
	struct context again;
	struct str url = str_from(c->repository);

	if (c->kind != CONTEXT_GIT || context_parse(&again, url, NULL) < 0)
		return;
	must(again.kind == CONTEXT_GIT || str_starts(url, "https://github.com/"));
	must(str_is(url, again.repository) && !again.ref && !again.folder);
	must(!secret_is_set(&again.password));
	context_release(&again);
}

/* A token for one host is shown to no other, whatever stands in the URL. */
static void stays_in_scope(const struct context *c)
{
	static const char scope[] = "https://git.test/acme";
	struct str url = str_from(c->repository);

	if (c->kind != CONTEXT_GIT || url_scope_depth(STR(scope), url) < 0)
		return;
	must(strncasecmp(c->repository, "https://git.test", 16) == 0);
	must(!strstr(c->repository, "/../") && !str_has_control(url));
}

static void ask_policy(const struct context *c)
{
	static struct strvec schemes;
	const struct policy policy = { .schemes = &schemes };
	struct err err = { 0 };

	if (!schemes.len)
		strvec_push(&schemes, "https");
	if (c->repository && policy_check_url(str_from(c->repository), &policy, &err) == 0) {
		must(strncasecmp(c->repository, "https://", 8) == 0);
		must(!str_has_control(str_from(c->repository)));
	}
	if (c->ref && policy_check_ref(str_from(c->ref), &err) == 0)
		must(c->ref[0] != '-' && !strstr(c->ref, "..") && !strpbrk(c->ref, " ~^:?*[\\"));
	if (c->folder && policy_check_folder(str_from(c->folder), &err) == 0)
		must(c->folder[0] != '/' && strncmp(c->folder, "../", 3) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct context c;
	struct err err = { 0 };

	if (context_parse(&c, text, &err) < 0) {
		must(err.code != ERR_NONE && *err.word && !str_has_control(str_from(err.msg)));
		return 0;
	}
	reads_as_itself(&c);
	stays_in_scope(&c);
	ask_policy(&c);
	context_release(&c);
	return 0;
}

#include "context/submodule_url.h"

#include "common/buf.h"
#include "common/scope.h"
#include "context/policy.h"
#include "context/url.h"
#include "model/repository.h"

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "url_invalid", "the submodule's URL %s", why);
}

/* ---- as it is written ---- */

/* Also an encoded one, because git decodes before it cuts a URL into lines (CVE-2020-5260). */
static bool has_control(struct str url)
{
	for (size_t i = 0; i + 2 < url.len; i++) {
		char high = url.ptr[i + 1], low = url.ptr[i + 2];
		if (url.ptr[i] == '%' &&
		    (high == '0' || high == '1' || (high == '7' && (low | 0x20) == 'f')))
			return true;
	}
	return str_has_control(url);
}

int submodule_url_check(struct str url, struct err *err)
{
	size_t colon = str_find(url, ':', 0);
	struct str scheme = str_slice(url, 0, colon), rest = str_after(url, colon + 1);
	bool has_scheme = colon < url.len && str_find(scheme, '/', 0) == scheme.len;

	if (url.len == 0)
		return refuse(err, "is empty");
	if (url.ptr[0] == '-')
		return refuse(err, "begins with '-'");
	if (has_control(url))
		return refuse(err, "holds a control character");
	if (has_scheme && str_starts(rest, ":"))
		return refuse(err, "names a program: transport helpers are not used");
	if (has_scheme && str_is_i(scheme, "file"))
		return refuse(err, "names a file");
	if (has_scheme && (str_is(rest, "//") || str_starts(rest, "///")))
		return refuse(err, "has no host");
	return 0;
}

/* ---- the address ---- */

static void add_authority(struct buf *out, const struct url *u)
{
	buf_addf(out, STR_FMT "://" STR_FMT, STR_ARG(u->scheme), STR_ARG(u->host));
	if (u->has_port)
		buf_addf(out, ":" STR_FMT, STR_ARG(u->port));
}

/* relative_url() of git's remote.c; but git goes on above the host, and we do not. */
static int add_relative(struct buf *out, struct str url, struct str base, struct err *err)
{
	struct url u;

	if (!url_split(&u, base) || u.is_scp)
		return refuse(err, "is relative to a repository that has no URL");
	struct str folder = u.path;
	if (str_ends(folder, "/"))
		folder.len--;
	while (str_starts(url, "./") || str_starts(url, "../")) {
		bool up = url.ptr[1] == '.';
		url = str_after(url, up ? 3 : 2);
		if (up && folder.len == 0)
			return refuse(err, "leads above the host");
		while (up && folder.len && folder.ptr[--folder.len] != '/')
			;
	}
	if (str_ends(url, "/"))
		url.len--;
	add_authority(out, &u);
	buf_addf(out, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(url));
	return 0;
}

/*
 * Forges put a name before '@' in the URLs that people copy; what is shown to the server is said by
 * the configuration alone. A password is refused by the policy.
 */
static void add_absolute(struct buf *out, struct str url)
{
	struct url u;

	if (!url_split(&u, url) || u.is_scp || !u.has_userinfo ||
	    str_find(u.userinfo, ':', 0) < u.userinfo.len ||
	    !(str_is_i(u.scheme, "https") || str_is_i(u.scheme, "http"))) {
		buf_addstr(out, url);
		return;
	}
	add_authority(out, &u);
	buf_addstr(out, str_after(url, (size_t)(u.path.ptr - url.ptr)));
}

/* git@ssh.dev.azure.com:v3/org/project/repo is https://dev.azure.com/org/project/_git/repo. */
static bool add_azure(struct buf *out, const struct url *u, struct str path)
{
	struct str parts[4];
	size_t n = 0;

	while (n < ARRAY_LEN(parts) && str_split(&path, '/', &parts[n]))
		n++;
	if (!str_is_i(u->host, "ssh.dev.azure.com") || n < 4 || !str_is(parts[0], "v3"))
		return false;
	buf_addf(out, "https://dev.azure.com/" STR_FMT "/" STR_FMT "/_git/" STR_FMT,
		 STR_ARG(parts[1]), STR_ARG(parts[2]), STR_ARG(parts[3]));
	return true;
}

/* Not rewritten in silence: the repository at the https address may be another one. */
static int refuse_ssh(struct str url, struct err *err)
{
	cleanup_buf struct buf instead = BUF_INIT;
	struct url u;

	if (!url_split(&u, url) || !(u.is_scp || str_is_i(u.scheme, "ssh")))
		return -1;
	struct str path = str_starts(u.path, "/") ? str_after(u.path, 1) : u.path;
	if (!add_azure(&instead, &u, path))
		buf_addf(&instead, "https://" STR_FMT "/" STR_FMT, STR_ARG(u.host), STR_ARG(path));
	return err_set(err, ERR_DENIED, "scheme_denied",
		       "submodules are fetched over https, not ssh: write %.200s%s in .gitmodules",
		       instead.ptr, instead.len > 200 ? "…" : "");
}

static int check_address(struct str url, const struct policy *policy, struct err *err)
{
	cleanup_free char *identity = NULL;

	if (policy_check_url(url, policy, err) < 0)
		return err && err_is(err, "scheme_denied") ? refuse_ssh(url, err) : -1;
	if (str_find(url, '#', 0) < url.len)
		return refuse(err, "holds a '#': a submodule has its commit from the tree");
	/* Also finds "." and ".." on the way, which whoever sends the request would resolve. */
	return repository_identity(&identity, url, err);
}

int submodule_url_resolve(char **out, struct str url, struct str base, const struct policy *policy,
			  struct err *err)
{
	cleanup_buf struct buf address = BUF_INIT;

	if (!str_starts(url, "./") && !str_starts(url, "../"))
		add_absolute(&address, url);
	else if (add_relative(&address, url, base, err) < 0)
		return -1;
	if (check_address(buf_str(&address), policy, err) < 0)
		return -1;
	*out = buf_detach(&address);
	return 0;
}

/* ---- the host ---- */

/* "host" or "host:port" as repository.h makes it: one spelling for all doors of a forge. */
static char *host_of(const char *url)
{
	struct err err;
	char *identity;

	if (repository_identity(&identity, str_from(url), &err) < 0)
		return NULL;
	identity[str_find(str_from(identity), '/', 0)] = '\0';
	return identity;
}

static struct str without_port(struct str host)
{
	size_t from = str_starts(host, "[") ? str_find(host, ']', 0) : 0;

	return str_slice(host, 0, str_find(host, ':', from));
}

bool submodule_host_allowed(const char *url, const char *main_url, const struct strvec *hosts)
{
	cleanup_free char *host = host_of(url);
	cleanup_free char *main_host = host_of(main_url);

	if (!host || !main_host)
		return false;
	if (strcmp(host, main_host) == 0)
		return true;
	STRVEC_FOREACH (listed, hosts) {
		if (str_is_i(without_port(str_from(host)), *listed))
			return true;
	}
	return false;
}

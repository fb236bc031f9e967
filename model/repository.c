#include "model/repository.h"

#include "common/crypto.h"
#include "common/scope.h"
#include "common/strvec.h"

enum { URL_MAX_BYTES = 2048 };

static const struct {
	const char *name;
	unsigned port;
} schemes[] = {
	{ "https", 443 }, { "http", 80 },    { "git", 9418 },
	{ "ssh", 22 },    { "git+ssh", 22 }, { "ssh+git", 22 },
};

/* Other doors of the same forge; each is reached at one fixed port, which says nothing. */
static const struct {
	const char *host, *is;
} aliases[] = {
	{ "www.github.com", "github.com" },       { "ssh.github.com", "github.com" },
	{ "altssh.gitlab.com", "gitlab.com" },    { "altssh.bitbucket.org", "bitbucket.org" },
	{ "ssh.dev.azure.com", "dev.azure.com" },
};

static const char *const caseless[] = { "github.com", "gitlab.com", "bitbucket.org",
					"dev.azure.com" };

/* A URL taken apart. The slices point into the text; port 0 is the scheme's default. */
struct parts {
	struct str user, host, path;
	unsigned port;
};

/* What stands before '@' may be a secret. */
static int refuse(struct err *err, struct str url, const char *why)
{
	size_t at = url.len;

	while (at > 0 && url.ptr[at - 1] != '@')
		at--;
	url = str_after(url, at);
	return err_set(err, ERR_INVALID, "url_invalid", "'%.*s' is no repository URL: %s",
		       (int)(url.len > 200 ? 200 : url.len), url.ptr, why);
}

/* Cut "user@host:port" into p; the port stays text. */
static struct str cut_authority(struct parts *p, struct str authority)
{
	size_t at = authority.len;
	while (at > 0 && authority.ptr[at - 1] != '@')
		at--;
	if (at > 0)
		p->user = str_slice(authority, 0, at - 1);
	authority = str_after(authority, at);

	size_t from = str_starts(authority, "[") ? str_find(authority, ']', 0) : 0;
	size_t colon = str_find(authority, ':', from);
	p->host = str_slice(authority, 0, colon);
	return str_after(authority, colon + 1);
}

static const char *cut_url(struct parts *p, struct str scheme, struct str rest)
{
	size_t i = 0;
	while (i < ARRAY_LEN(schemes) && !str_is_i(scheme, schemes[i].name))
		i++;
	if (i == ARRAY_LEN(schemes))
		return "its scheme must be https, http, ssh or git";

	size_t slash = str_find(rest, '/', 0);
	struct str port = cut_authority(p, str_slice(rest, 0, slash));
	uint64_t number = 0;
	if (port.len && (!str_to_u64(port, 65535, &number) || number == 0))
		return "its port must be a number from 1 to 65535";
	p->port = number == schemes[i].port ? 0 : (unsigned)number;

	struct str path = str_after(rest, slash);
	p->path = str_slice(path, 0, str_find(path, '?', 0));
	return NULL;
}

/* "git@host:path" (the scp form), or "host/path" without any scheme. */
static const char *cut_bare(struct parts *p, struct str text)
{
	size_t from = str_find(text, '[', 0) < str_find(text, ':', 0) ? str_find(text, ']', 0) : 0;
	size_t colon = str_find(text, ':', from);
	size_t slash = str_find(text, '/', 0);

	if (colon < slash) {
		cut_authority(p, str_slice(text, 0, colon));
		p->path = str_after(text, colon + 1);
		/* "helper::address" is git's way of naming a program. */
		return str_starts(p->path, ":") ? "transport helpers are not used" : NULL;
	}
	if (slash == text.len || str_find(text, '.', 0) >= slash)
		return "it names no host";
	p->host = str_slice(text, 0, slash);
	p->path = str_after(text, slash);
	return NULL;
}

/* ASCII letters, digits, '-', '_' and '.', or an address in brackets. */
static bool is_host(struct str host)
{
	bool address = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	const char *allowed = address ? "0123456789abcdefABCDEF:.[]"
				      : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_.";

	if (host.len == 0 || host.len > 255 || host.ptr[0] == '-' || host.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] == '\0' || !strchr(allowed, host.ptr[i]))
			return false;
	return true;
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* Lower case, no final dot, an alias resolved (which also makes its port say nothing). */
static char *canonical_host(struct parts *p)
{
	struct str host = p->host;
	if (str_ends(host, "."))
		host.len--;
	char *text = str_dup(host);
	lower(text);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (strcmp(text, aliases[i].host) != 0)
			continue;
		free(text);
		p->port = 0;
		return xstrdup(aliases[i].is);
	}
	return text;
}

/* The decoded names of the path, without empty ones and without ".git" at the end. */
static const char *cut_path(struct strvec *names, struct str path)
{
	struct str segment;

	while (str_split(&path, '/', &segment)) {
		cleanup_buf struct buf name = BUF_INIT;
		if (segment.len == 0)
			continue;
		if (percent_decode(&name, segment, false) < 0)
			return "a '%' in its path is not followed by two hex digits";
		struct str decoded = buf_str(&name);
		if (str_has_control(decoded) || !str_is_utf8(decoded))
			return "its path holds a control character or is no UTF-8";
		if (str_is(decoded, ".") || str_is(decoded, ".."))
			return "its path holds a '.' or '..' folder";
		strvec_push_str(names, decoded);
	}
	if (names->len == 0)
		return "it names no repository";

	char *last = names->items[names->len - 1];
	size_t n = strlen(last);
	if (n > 4 && strcmp(last + n - 4, ".git") == 0)
		last[n - 4] = '\0';
	return NULL;
}

/* Move the slices so that names[from..] are joined with '/'. */
static void join(struct buf *out, const struct strvec *names, size_t from)
{
	for (size_t i = from; i < names->len; i++)
		buf_addf(out, "/%s", names->items[i]);
}

/*
 * Azure Repos, after "dev.azure.com/":
 *   ORG/PROJECT/_git/REPO    ORG/_git/REPO (project equal to the repository)    v3/ORG/PROJECT/REPO
 * Without any of these marks the path is taken as it is.
 */
static void add_azure(struct buf *out, const struct strvec *names, const char *org)
{
	int mark = strvec_find(names, "_git");
	if (mark < 0)
		mark = strvec_find(names, "_ssh");
	if (mark < 0) {
		bool v3 = names->len == 4 && strcmp(names->items[0], "v3") == 0;
		if (org && !v3)
			buf_addf(out, "/%s", org);
		join(out, names, v3 ? 1 : 0);
		return;
	}

	size_t first = 0, end = (size_t)mark, repo = end + 1;
	if (org) {
		buf_addf(out, "/%s", org);
		if (end > 0 && str_is_i(str_from(names->items[0]), "DefaultCollection"))
			first = 1;
	} else if (end > 0) {
		buf_addf(out, "/%s", names->items[first++]);
	}
	/* Marks that ask for a cheaper clone of the same repository. */
	if (repo + 1 < names->len && (strcmp(names->items[repo], "_optimized") == 0 ||
				      strcmp(names->items[repo], "_full") == 0))
		repo++;
	if (first == end && repo < names->len)
		buf_addf(out, "/%s", names->items[repo]);
	for (; first < end; first++)
		buf_addf(out, "/%s", names->items[first]);
	join(out, names, repo);
}

/* The organisation in "org.visualstudio.com" and "org@vs-ssh.visualstudio.com", or NULL. */
static char *azure_organisation(const char *host, struct str user)
{
	struct str h = str_from(host);
	if (!str_ends(h, ".visualstudio.com"))
		return NULL;
	struct str org = str_slice(h, 0, h.len - strlen(".visualstudio.com"));
	return str_dup(str_is(org, "vs-ssh") ? user : org);
}

int repository_identity(char **out, struct str url, struct err *err)
{
	struct str text = str_slice(url, 0, str_find(url, '#', 0));
	struct parts p = { 0 };
	cleanup_strvec struct strvec names = { 0 };
	const char *wrong = NULL;

	if (url.len > URL_MAX_BYTES)
		return refuse(err, url, "it is longer than 2048 bytes");
	const char *mark = text.len ? memmem(text.ptr, text.len, "://", 3) : NULL;
	if (mark) {
		size_t n = (size_t)(mark - text.ptr);
		wrong = cut_url(&p, str_slice(text, 0, n), str_after(text, n + 3));
	} else {
		wrong = cut_bare(&p, text);
	}
	if (!wrong && !is_host(p.host))
		wrong = "its host must be an ASCII name or an address";
	if (!wrong)
		wrong = cut_path(&names, p.path);
	if (wrong)
		return refuse(err, url, wrong);

	struct buf id = BUF_INIT;
	cleanup_free char *host = canonical_host(&p);
	cleanup_free char *org = azure_organisation(host, p.user);
	buf_adds(&id, org ? "dev.azure.com" : host);
	if (org || strcmp(host, "dev.azure.com") == 0) {
		add_azure(&id, &names, org);
	} else {
		if (p.port)
			buf_addf(&id, ":%u", p.port);
		join(&id, &names, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(caseless); i++) {
		size_t n = strlen(caseless[i]);
		if (strncmp(id.ptr, caseless[i], n) == 0 && id.ptr[n] == '/')
			lower(id.ptr);
	}
	*out = buf_detach(&id);
	return 0;
}

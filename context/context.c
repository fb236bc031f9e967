#include "context/context.h"

#include "common/buf.h"
#include "common/crypto.h"
#include "common/scope.h"
#include "context/context_query.h"
#include "context/url.h"

static int invalid(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "context_invalid", "%s", why);
}

static bool path_ends_with_git(const struct url *u)
{
	return str_ends(u->path, ".git");
}

/* https://dev.azure.com/org/project/_git/repo, https://org.visualstudio.com/…/_git/repo */
static bool is_azure_repos(const struct url *u)
{
	struct str host = u->host, path = u->path;

	if (!str_is_i(u->scheme, "https") || u->has_query)
		return false;
	bool dev = str_is_i(host, "dev.azure.com");
	static const char suffix[] = ".visualstudio.com";
	bool old = host.len > sizeof suffix - 1 &&
		   str_is_i(str_after(host, host.len - (sizeof suffix - 1)), suffix);
	if (!dev && !old)
		return false;
	for (size_t i = 0; i + 6 < path.len; i++) {
		if (str_is_i(str_slice(path, i, i + 6), "/_git/"))
			return true;
	}
	return false;
}

static enum context_kind kind_of(const struct url *u)
{
	bool http = str_is_i(u->scheme, "http") || str_is_i(u->scheme, "https");

	if (str_is_i(u->scheme, "oci"))
		return CONTEXT_OCI;
	if (u->is_scp || str_is_i(u->scheme, "ssh") || str_is_i(u->scheme, "git"))
		return CONTEXT_GIT;
	if (!http)
		return CONTEXT_LOCAL;
	if (is_azure_repos(u))
		return CONTEXT_GIT;
	if (path_ends_with_git(u) && context_query_is_known(u->query))
		return CONTEXT_GIT;
	return CONTEXT_HTTP;
}

/* NULL for an empty part; percent-decoded where the form is a URL. */
static int take_part(char **out, struct str part, bool decode, struct err *err)
{
	struct buf text = BUF_INIT;

	free(*out);
	*out = NULL;
	if (part.len == 0)
		return 0;
	if (!decode) {
		*out = str_dup(part);
		return 0;
	}
	if (percent_decode(&text, part, false) < 0 || str_has_control(buf_str(&text))) {
		buf_release(&text);
		return invalid(
			err, "the part behind '#' has a bad percent escape or a control character");
	}
	*out = buf_detach(&text);
	return 0;
}

/* "ref:folder": the ref ends at the first ':', the folder may hold more of them. */
static int split_fragment(struct context *c, struct str fragment, bool decode, struct err *err)
{
	struct buf text = BUF_INIT;

	/* Decoded as a whole first, as URL parsers do: an escaped ':' splits like a plain one. */
	if (decode &&
	    (percent_decode(&text, fragment, false) < 0 || str_has_control(buf_str(&text)))) {
		buf_release(&text);
		return invalid(
			err, "the part behind '#' has a bad percent escape or a control character");
	}
	struct str whole = decode ? buf_str(&text) : fragment;
	size_t colon = str_find(whole, ':', 0);
	int rc = take_part(&c->ref, str_slice(whole, 0, colon), false, err);
	if (rc == 0)
		rc = take_part(&c->folder, str_after(whole, colon + 1), false, err);
	buf_release(&text);
	return rc;
}

/*
 * What stands alone before '@' is a token, but for the clone URLs that carry a name there: the
 * organisation on Azure, the user on Bitbucket, "git" by habit.
 */
static bool lone_user_is_name(const struct url *u, const char *user)
{
	static const char suffix[] = ".visualstudio.com";
	cleanup_buf struct buf decoded = BUF_INIT;
	struct str organisation = STR("git");

	if (str_is_i(u->host, "bitbucket.org"))
		return true;
	if (str_is_i(u->host, "dev.azure.com"))
		organisation = str_slice(u->path, 1, str_find(u->path, '/', 1));
	else if (u->host.len >= sizeof suffix &&
		 str_is_i(str_after(u->host, u->host.len - (sizeof suffix - 1)), suffix))
		organisation = str_slice(u->host, 0, u->host.len - (sizeof suffix - 1));
	return percent_decode(&decoded, organisation, false) == 0 &&
	       str_is_i(buf_str(&decoded), user);
}

/*
 * Where other readers end the host earlier ("https://github.com\\@host/": a backslash is a slash to
 * some), it would not be the host that it seems to be. As Go's URL parser, so docker and BuildKit.
 */
static int check_userinfo(struct str userinfo, struct err *err)
{
	for (size_t i = 0; i < userinfo.len; i++) {
		char c = userinfo.ptr[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && !strchr("-._:~!$&'()*+,;=%@", c))
			return err_set(err, ERR_INVALID, "url_invalid",
				       "the URL has a user part with a character that must be "
				       "percent-encoded");
	}
	return 0;
}

static int take_credentials(struct context *c, const struct url *u, struct err *err)
{
	size_t colon = str_find(u->userinfo, ':', 0);
	bool ssh = str_is_i(u->scheme, "ssh");
	char *user = NULL, *password = NULL;

	if (!u->has_userinfo || u->is_scp)
		return 0;
	if (check_userinfo(u->userinfo, err) < 0)
		return -1;
	if (take_part(&user, str_slice(u->userinfo, 0, colon), true, err) < 0 ||
	    take_part(&password, str_after(u->userinfo, colon + 1), true, err) < 0) {
		free(user);
		return invalid(err, "the user part of the URL has a bad percent escape");
	}
	if (!password && user && !ssh && !lone_user_is_name(u, user)) {
		password = user;
		user = NULL;
	}
	/* The user of ssh is part of the address, and stays in the URL. */
	if (ssh)
		free(user);
	else
		c->username = user;
	if (password)
		secret_set(&c->password, str_from(password));
	free(password);
	return 0;
}

/* The URL without credentials, query and fragment; scheme in lower case. ssh keeps its user. */
static char *clean_url(const struct url *u, bool keep_query)
{
	struct buf text = BUF_INIT;

	if (u->is_scp) {
		buf_addf(&text, STR_FMT "@" STR_FMT ":" STR_FMT, STR_ARG(u->userinfo),
			 STR_ARG(u->host), STR_ARG(u->path));
		return buf_detach(&text);
	}
	for (size_t i = 0; i < u->scheme.len; i++)
		buf_addc(&text, (char)(u->scheme.ptr[i] >= 'A' && u->scheme.ptr[i] <= 'Z'
					       ? u->scheme.ptr[i] | 0x20
					       : u->scheme.ptr[i]));
	buf_adds(&text, "://");
	if (u->has_userinfo && str_is_i(u->scheme, "ssh")) {
		buf_addstr(&text, str_slice(u->userinfo, 0, str_find(u->userinfo, ':', 0)));
		buf_addc(&text, '@');
	}
	buf_addstr(&text, u->host);
	if (u->has_port)
		buf_addf(&text, ":" STR_FMT, STR_ARG(u->port));
	buf_addstr(&text, u->path);
	if (keep_query && u->has_query)
		buf_addf(&text, "?" STR_FMT, STR_ARG(u->query));
	return buf_detach(&text);
}

static int read_url(struct context *c, const struct url *u, struct err *err)
{
	c->kind = kind_of(u);
	if (c->kind == CONTEXT_LOCAL)
		return 0;
	c->repository = clean_url(u, c->kind != CONTEXT_GIT);
	if (take_credentials(c, u, err) < 0)
		return -1;
	if (c->kind != CONTEXT_GIT)
		return 0;
	if (split_fragment(c, u->fragment, !u->is_scp, err) < 0)
		return -1;
	return context_query_apply(c, u->query, err);
}

/* "source/<id>.tar.gz", the relativePath of an upload: letters and digits only. */
static bool is_upload(struct str text)
{
	if (!str_starts(text, "source/") || !str_ends(text, ".tar.gz") || text.len <= 14)
		return false;
	for (size_t i = 7; i < text.len - 7; i++) {
		char c = text.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return false;
	}
	return true;
}

int context_parse(struct context *out, struct str text, struct err *err)
{
	struct context c = { .kind = CONTEXT_LOCAL };
	struct url u;
	int rc = 0;

	if (text.len == 0)
		return invalid(err, "the context is empty: want a folder or URL#ref:folder");
	if (str_has_control(text))
		return invalid(err, "the context holds a control character");
	/* Only this host has a form without a scheme, as in docker. */
	char *with_scheme =
		str_starts(text, "github.com/") ? xasprintf("https://%.*s", STR_ARG(text)) : NULL;
	if (with_scheme) {
		url_split(&u, str_from(with_scheme));
		c.kind = CONTEXT_GIT;
		c.repository = clean_url(&u, false);
		rc = split_fragment(&c, u.fragment, true, err);
		if (rc == 0)
			rc = context_query_apply(&c, u.query, err);
	} else if (str_is(text, "/dev/null")) {
		c.kind = CONTEXT_NONE;
	} else if (is_upload(text)) {
		c.kind = CONTEXT_UPLOAD;
	} else if (url_split(&u, text)) {
		rc = read_url(&c, &u, err);
	}
	free(with_scheme);
	if (rc < 0) {
		context_release(&c);
		return -1;
	}
	if (c.kind == CONTEXT_LOCAL || c.kind == CONTEXT_UPLOAD)
		c.repository = str_dup(text);
	*out = c;
	return 0;
}

void context_release(struct context *c)
{
	free(c->repository);
	free(c->ref);
	free(c->folder);
	free(c->username);
	secret_release(&c->password);
	*c = (struct context){ 0 };
}

const char *context_kind_name(enum context_kind kind)
{
	static const char *const names[] = {
		[CONTEXT_LOCAL] = "local", [CONTEXT_GIT] = "git",       [CONTEXT_HTTP] = "http",
		[CONTEXT_OCI] = "oci",     [CONTEXT_UPLOAD] = "upload", [CONTEXT_NONE] = "none",
	};
	return names[kind];
}

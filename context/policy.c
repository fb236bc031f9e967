#include "context/policy.h"

#include "common/crypto.h"
#include "context/url.h"

enum { HOST_MAX = 253 };

static int bad_url(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "url_invalid", "the URL %s", why);
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A host name of the internet: ASCII labels. Look-alikes of well-known hosts hide behind punycode:
 * refused. */
static int check_host(struct str host, struct err *err)
{
	struct str rest = host, label;

	if (host.len == 0)
		return bad_url(err, "has no host");
	if (host.len > HOST_MAX)
		return bad_url(err, "has a host of more than 253 characters");
	if (host.ptr[0] == '[')
		return 0; /* an IPv6 literal: the address check reads it */
	while (str_split(&rest, '.', &label)) {
		if (label.len > 63 || (label.len == 0 && rest.ptr))
			return bad_url(err, "has a host with an empty or too long label");
		if (label.len && (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-'))
			return bad_url(err, "has a host that begins or ends with '-'");
		if (label.len >= 4 && str_is_i(str_slice(label, 0, 4), "xn--"))
			return bad_url(
				err,
				"has an internationalised host name: these can look like another host, and are refused");
		for (size_t i = 0; i < label.len; i++) {
			if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-' && label.ptr[i] != '_')
				return bad_url(
					err,
					"has a host with characters other than letters, digits, '-' and '.'");
		}
	}
	return 0;
}

/* A byte that may not stand in a URL as it is. */
static bool must_be_encoded(char c)
{
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || strchr("\"<>\\^`{|}", c);
}

/* A control character, once decoded, would end a line of what is read by others
 * (CVE-2020-5260). */
static bool is_good_escape(struct str s)
{
	unsigned char byte;

	return hex_decode(&byte, 1, str_slice(s, 1, 3)) && byte >= ' ' && byte != 0x7f;
}

/* ssh hands the path to a shell on the other side: only what needs no quoting. */
static int check_path(const struct url *u, bool ssh, struct err *err)
{
	for (size_t i = 0; i < u->path.len; i++) {
		char c = u->path.ptr[i];
		bool fits = ssh ? is_alnum(c) || strchr("._/~-", c) : !must_be_encoded(c);
		if (!fits)
			return bad_url(
				err,
				"has a character in its path that must be percent-encoded, or is not allowed");
		if (c == '%' && !is_good_escape(str_after(u->path, i)))
			return bad_url(
				err,
				"has a percent escape in its path that is none, or is one of a control character");
	}
	for (size_t i = 0; i < u->query.len; i++) {
		if (must_be_encoded(u->query.ptr[i]))
			return bad_url(err,
				       "has a character in its query that must be percent-encoded");
	}
	return 0;
}

/* A user part that other readers of the URL would cut elsewhere, or that looks like an option. */
static int check_user(const struct url *u, bool ssh, struct err *err)
{
	const char *allowed = ssh ? "._-" : "-._:~!$&'()*+,;=%@";

	if (str_starts(u->userinfo, "-"))
		return bad_url(err, "has a user that begins with '-'");
	for (size_t i = 0; i < u->userinfo.len; i++) {
		char c = u->userinfo.ptr[i];
		if (!is_alnum(c) && !strchr(allowed, c))
			return bad_url(err, "has a user part with a character that is not allowed");
	}
	return 0;
}

static bool is_localhost(struct str host)
{
	static const char suffix[] = ".localhost";

	while (host.len && host.ptr[host.len - 1] == '.')
		host.len--;
	return str_is_i(host, "localhost") ||
	       (host.len >= sizeof suffix - 1 &&
		str_is_i(str_after(host, host.len - (sizeof suffix - 1)), suffix));
}

/* Names are checked after they were resolved. *listed: an address that the operator has listed. */
static int check_address(const struct url *u, const struct policy *policy, bool *listed,
			 struct err *err)
{
	struct address address;

	*listed = false;
	switch (address_read(&address, is_localhost(u->host) ? STR("127.0.0.1") : u->host)) {
	case ADDRESS_NAME: return 0;
	case ADDRESS_WRONG:
		return bad_url(err, "has a host that looks like an address, but is none");
	case ADDRESS_LITERAL: break;
	}
	*listed = address_listed(&address, policy->allowed, policy->allowed_len);
	return address_check_one(&address, policy->allowed, policy->allowed_len, err);
}

static bool port_is_of_scheme(struct str scheme, uint64_t port)
{
	static const struct {
		const char *scheme;
		uint64_t port;
	} ports[] = { { "https", 443 }, { "http", 80 }, { "ssh", 22 }, { "git", 9418 } };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		if (str_is_i(scheme, ports[i].scheme) && port == ports[i].port)
			return true;
	}
	return false;
}

static bool port_is_listed(const struct policy *policy, uint64_t port)
{
	for (size_t i = 0; i < policy->ports_len; i++) {
		if (policy->ports[i] == port)
			return true;
	}
	return false;
}

/* The scheme's own port, or a listed one; on an address that the operator has listed any port. */
static int check_port(const struct url *u, const struct policy *policy, bool listed,
		      struct err *err)
{
	uint64_t port;

	if (!u->has_port || u->port.len == 0)
		return 0;
	if (str_to_u64(u->port, 65535, &port) && port > 0 &&
	    (listed || port_is_of_scheme(u->scheme, port) || port_is_listed(policy, port)))
		return 0;
	return err_set(
		err, ERR_DENIED, "port_denied",
		"port %.*s is not reached: want the scheme's own (443 for https), one that "
		"git.allow_ports lists, or an address that git.allow_private_addresses lists",
		(int)(u->port.len > 20 ? 20 : u->port.len), u->port.ptr);
}

static int check_scheme(const struct url *u, const struct policy *policy, struct err *err)
{
	bool http = str_is_i(u->scheme, "https") || str_is_i(u->scheme, "http");

	STRVEC_FOREACH (allowed, policy->schemes) {
		if (http && str_is_i(u->scheme, *allowed))
			return 0;
	}
	if (http)
		return err_set(
			err, ERR_DENIED, "scheme_denied",
			"%.*s is not allowed here: use https, or let the operator list it under git.allow_schemes",
			STR_ARG(u->scheme));
	return err_set(err, ERR_DENIED, "scheme_denied",
		       "repositories are fetched over https; %.*s is not allowed",
		       (int)(u->scheme.len > 20 ? 20 : u->scheme.len), u->scheme.ptr);
}

int policy_check_url(struct str url, const struct policy *policy, struct err *err)
{
	struct url u;
	bool listed;

	if (url.len > POLICY_URL_MAX)
		return err_set(err, ERR_INVALID, "url_too_long", "the URL has more than %d bytes",
			       POLICY_URL_MAX);
	if (url.len == 0 || url.ptr[0] == '-' || str_has_control(url))
		return bad_url(err, "is empty, begins with '-' or holds a control character");
	if (!url_split(&u, url))
		return err_set(
			err, ERR_DENIED, "scheme_denied",
			"this is no https URL: local paths and other transports are not fetched");
	bool ssh = u.is_scp || str_is_i(u.scheme, "ssh");
	bool known = ssh || str_is_i(u.scheme, "https") || str_is_i(u.scheme, "http") ||
		     str_is_i(u.scheme, "git");
	if (!known)
		return check_scheme(&u, policy, err);
	if (check_host(u.host, err) < 0 || check_user(&u, ssh, err) < 0 ||
	    check_path(&u, ssh, err) < 0)
		return -1;
	if (u.has_userinfo && !ssh)
		return err_set(
			err, ERR_INVALID, "url_has_credentials",
			"the URL carries credentials: give them apart (--git-access-token, git.credentials)");
	if (check_scheme(&u, policy, err) < 0 || check_address(&u, policy, &listed, err) < 0)
		return -1;
	return check_port(&u, policy, listed, err);
}

static int bad_ref(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "ref_invalid", "the ref %s", why);
}

/* git check-ref-format(1), and nothing that a shell or a revision parser would read as more than a
 * name. */
int policy_check_ref(struct str ref, struct err *err)
{
	struct str rest = ref, part;

	if (ref.len > POLICY_REF_MAX)
		return err_set(err, ERR_INVALID, "ref_too_long", "the ref has more than %d bytes",
			       POLICY_REF_MAX);
	if (ref.len == 0 || ref.ptr[0] == '-' || ref.ptr[0] == '+')
		return bad_ref(err, "is empty or begins with '-' or '+'");
	for (size_t i = 0; i < ref.len; i++) {
		unsigned char c = (unsigned char)ref.ptr[i];
		if (c <= ' ' || c == 0x7f || strchr("~^:?*[\\\"'`$;|&<>(){}!", c))
			return bad_ref(err,
				       "holds a character that git or a shell gives a meaning to");
		if (i &&
		    ((c == '.' && ref.ptr[i - 1] == '.') || (c == '{' && ref.ptr[i - 1] == '@')))
			return bad_ref(err, "holds '..' or '@{'");
	}
	if (!str_is_utf8(ref))
		return bad_ref(err, "is not UTF-8");
	if (str_is(ref, "@"))
		return bad_ref(err, "is a lone '@'");
	while (str_split(&rest, '/', &part)) {
		if (part.len == 0 || part.ptr[0] == '.' || part.ptr[part.len - 1] == '.' ||
		    str_ends(part, ".lock"))
			return bad_ref(
				err,
				"has a part that is empty, begins or ends with '.', or ends with '.lock'");
	}
	return 0;
}

int policy_check_folder(struct str folder, struct err *err)
{
	struct str rest = folder, part;

	if (str_starts(folder, "/"))
		return err_set(err, ERR_INVALID, "path_denied",
			       "the folder must be relative to the repository's root");
	if (folder.len > POLICY_FOLDER_MAX || str_has_control(folder) ||
	    memchr(folder.ptr, '\0', folder.len) || memchr(folder.ptr, '\\', folder.len))
		return err_set(err, ERR_INVALID, "path_denied",
			       "the folder is too long or holds a character that is not allowed");
	while (str_split(&rest, '/', &part)) {
		if (str_is(part, ".."))
			return err_set(
				err, ERR_INVALID, "path_denied",
				"the folder must stay inside the repository: '..' is not allowed");
	}
	return 0;
}

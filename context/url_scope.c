#include "context/url_scope.h"

#include "common/buf.h"
#include "common/crypto.h"
#include "common/scope.h"
#include "context/url.h"

static struct str port_of(const struct url *u)
{
	if (u->port.len)
		return u->port;
	return str_is_i(u->scheme, "https") ? STR("443") : STR("80");
}

static bool same_server(const struct url *a, const struct url *b)
{
	bool http = str_is_i(a->scheme, "https") || str_is_i(a->scheme, "http");

	return http && str_ieq(a->scheme, b->scheme) && a->host.len && str_ieq(a->host, b->host) &&
	       str_eq(port_of(a), port_of(b));
}

/* One component, decoded. False for what can lead to another place than it says. */
static bool decode(struct buf *out, struct str component)
{
	if (percent_decode(out, component, false) < 0)
		return false;
	struct str s = buf_str(out);
	return !str_is(s, ".") && !str_is(s, "..") && !str_has_control(s) &&
	       str_find(s, '/', 0) == s.len && str_find(s, '\\', 0) == s.len;
}

static bool is_plain(struct str path)
{
	struct str component;

	while (str_split(&path, '/', &component)) {
		cleanup_buf struct buf text = BUF_INIT;
		if (!decode(&text, component))
			return false;
	}
	return true;
}

static struct str without_git(struct str name)
{
	bool ends = name.len > 4 && str_ends(name, ".git");
	return ends ? str_slice(name, 0, name.len - 4) : name;
}

/* `repository_ends`: the component may be the name of a repository, with or without ".git". */
static bool same_component(struct str a, struct str b, bool repository_ends)
{
	cleanup_buf struct buf left = BUF_INIT, right = BUF_INIT;

	if (!decode(&left, a) || !decode(&right, b))
		return false;
	if (!repository_ends)
		return str_eq(buf_str(&left), buf_str(&right));
	return str_eq(without_git(buf_str(&left)), without_git(buf_str(&right)));
}

/* The slashes around a path separate nothing; two at its beginning may be another path. */
static struct str trim_slashes(struct str path)
{
	if (str_starts(path, "/"))
		path = str_after(path, 1);
	while (str_ends(path, "/"))
		path.len--;
	return path;
}

/* What follows the name of a repository when its server is asked about it (info/lfs). */
static bool is_of_repository(struct str rest)
{
	return rest.len == 0 || str_is(rest, "info/lfs") || str_starts(rest, "info/lfs/");
}

int url_scope_depth(struct str scope, struct str url)
{
	struct url s, u;
	int depth = 0;

	if (!url_split(&s, scope) || !url_split(&u, url) || !same_server(&s, &u))
		return -1;
	struct str wanted = trim_slashes(s.path), path = trim_slashes(u.path), a, b;
	if (!is_plain(path))
		return -1;
	for (; wanted.len; depth++) {
		str_split(&wanted, '/', &a);
		if (!str_split(&path, '/', &b) ||
		    !same_component(a, b, wanted.len == 0 && is_of_repository(path)))
			return -1;
	}
	return depth;
}

#include "context/url.h"

static bool is_scheme(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || strchr("+-.", c))))
			return false;
	}
	return s.len > 0;
}

/* Cut `*rest` at the first `mark`: what is behind it, and whether it was there. */
static bool cut(struct str *rest, char mark, struct str *behind)
{
	size_t at = str_find(*rest, mark, 0);
	bool found = at < rest->len;

	*behind = found ? str_after(*rest, at + 1) : STR("");
	*rest = str_slice(*rest, 0, at);
	return found;
}

/* The last '@' ends the user part, as browsers and curl read it. */
static void split_authority(struct url *u, struct str authority)
{
	size_t at = authority.len;

	while (at > 0 && authority.ptr[at - 1] != '@')
		at--;
	u->has_userinfo = at > 0;
	u->userinfo = at > 0 ? str_slice(authority, 0, at - 1) : STR("");
	struct str host = str_after(authority, at);
	size_t end = host.len && host.ptr[0] == '[' ? str_find(host, ']', 0) : 0;
	size_t colon = str_find(host, ':', end);
	u->host = str_slice(host, 0, colon);
	u->has_port = colon < host.len;
	u->port = str_after(host, colon + 1);
}

/* user@host:path, where the part before ':' has no '/'. */
static bool split_scp(struct url *u, struct str text)
{
	size_t colon = str_find(text, ':', 0), at = str_find(text, '@', 0),
	       slash = str_find(text, '/', 0);

	if (at == 0 || at >= colon || colon >= text.len || slash < colon)
		return false;
	u->is_scp = true;
	u->scheme = STR("ssh");
	u->has_userinfo = true;
	u->userinfo = str_slice(text, 0, at);
	u->host = str_slice(text, at + 1, colon);
	u->path = str_after(text, colon + 1);
	u->has_fragment = cut(&u->path, '#', &u->fragment);
	return true;
}

bool url_split(struct url *out, struct str text)
{
	struct url u = { 0 };
	size_t colon = str_find(text, ':', 0);

	if (!str_starts(str_after(text, colon), "://") || !is_scheme(str_slice(text, 0, colon))) {
		if (!split_scp(&u, text))
			return false;
		*out = u;
		return true;
	}
	u.scheme = str_slice(text, 0, colon);
	struct str rest = str_after(text, colon + 3);
	u.has_fragment = cut(&rest, '#', &u.fragment);
	u.has_query = cut(&rest, '?', &u.query);
	size_t slash = str_find(rest, '/', 0);
	split_authority(&u, str_slice(rest, 0, slash));
	u.path = str_after(rest, slash);
	*out = u;
	return true;
}

struct str url_shown(struct str text)
{
	size_t at = text.len;
	struct url u;

	if (!url_split(&u, text) || u.is_scp)
		return text;
	while (at > 0 && text.ptr[at - 1] != '@')
		at--;
	return str_after(text, at);
}

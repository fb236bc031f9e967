#include "server/auth.h"

#include <grp.h>
#include <pwd.h>

enum { GROUPS_MAX = 256 };

static bool in_group(uid_t uid, gid_t own_group, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	int n = GROUPS_MAX;
	struct passwd *user;

	if (own_group == group)
		return true;
	user = getpwuid(uid);
	if (!user || getgrouplist(user->pw_name, own_group, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

bool auth_is_admin(const struct http_peer *peer)
{
	if (!peer->is_unix)
		return false;
	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	/* Group 0 is no group of the service: a service that runs as root has no other members. */
	return getegid() != 0 && in_group(peer->uid, peer->gid, getegid());
}

static bool is_loopback(const struct http_peer *peer)
{
	struct str address = str_from(peer->address);
	return str_starts(address, "127.") || str_starts(address, "[::1]:");
}

static bool refuse(struct http_req *req)
{
	if (http_peer(req)->is_unix) {
		http_respond_error(
			req, 403, "forbidden", NULL,
			"this socket is for root, the service's own user and members of its group");
		return false;
	}
	http_reply_header(req, "WWW-Authenticate", "Bearer");
	http_respond_error(
		req, 401, "auth", NULL,
		"over TCP the API wants a token, and there are none yet: use the service's Unix socket");
	return false;
}

bool auth_allow(struct http_req *req, enum right right)
{
	const struct http_peer *peer = http_peer(req);

	switch (right) {
	case RIGHT_NONE:
	case RIGHT_SIGNED: return true;
	case RIGHT_LOCAL: return auth_is_admin(peer) || is_loopback(peer) ? true : refuse(req);
	case RIGHT_ADMIN: return auth_is_admin(peer) ? true : refuse(req);
	}
	return refuse(req);
}

#include "server/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

void sockaddr_format(char *out, size_t size, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	char host[INET6_ADDRSTRLEN] = "";

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
	} else if (address->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		snprintf(out, size, "unix");
	}
}

struct http_peer peer_of(int fd, const struct sockaddr *address)
{
	/* Nobody, until the kernel says otherwise: root must not be the default. */
	struct http_peer peer = { .uid = (uid_t)-1, .gid = (gid_t)-1, .pid = -1 };
	struct ucred cred;
	socklen_t len = sizeof cred;

	peer.is_unix = address->sa_family == AF_UNIX;
	sockaddr_format(peer.address, sizeof peer.address, address);
	if (peer.is_unix && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		peer.uid = cred.uid;
		peer.gid = cred.gid;
		peer.pid = cred.pid;
	}
	return peer;
}

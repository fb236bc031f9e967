/* peer: who is at the other end of an accepted socket. */
#pragma once
#include <sys/socket.h>

#include "server/http/http.h"

/* Of a Unix socket: uid, gid and pid at the time of connect(), as the kernel saw them. */
struct http_peer peer_of(int fd, const struct sockaddr *address);
/* "127.0.0.1:80", "[::1]:80", "unix". */
void sockaddr_format(char *out, size_t size, const struct sockaddr *address);

/*
 * auth: who may do what. The Unix socket is the administrator's door: the kernel tells the caller's
 * uid. Over TCP only what is open to everybody is answered; everything else wants a token.
 */
#pragma once
#include <stdbool.h>

#include "server/http/http.h"

enum right {
	RIGHT_NONE,   /* open: webhooks (their signature is their credential), /healthz, /readyz */
	RIGHT_ADMIN,  /* the API */
	RIGHT_LOCAL,  /* administrators, and loopback peers: /metrics */
	RIGHT_SIGNED, /* the URL itself is the credential: uploads */
};

/* May this peer? Otherwise an answer (401 or 403) has been given. */
bool auth_allow(struct http_req *req, enum right right);
/* root, the service's own uid, and members of its group. */
bool auth_is_admin(const struct http_peer *peer);

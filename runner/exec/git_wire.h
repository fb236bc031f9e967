/*
 * git_wire: how libgit2 reaches a server: our smart subtransport over transfer.h, for http and
 * https and nothing else. libgit2's own transports are never used: they have no time-outs, follow
 * redirects with credentials, and read "file://" and unknown schemes.
 *
 *   struct git_wire wire = { .x = x, .transfers = t, … };
 *   options.callbacks.transport = git_wire_transport;
 *   options.callbacks.payload = &wire;
 *   if (git_remote_connect_ext(…) < 0)
 *           return git_wire_error(&wire, err);
 */
#pragma once
#include <git2/remote.h>

#include "common/err.h"
#include "common/secret.h"

struct exec;
struct transfers;

struct git_wire {
	const struct exec *x;
	struct transfers *transfers; /* borrowed */
	const char *username;        /* with `token`, or NULL */
	const struct secret *token;  /* or NULL */
	struct err err;              /* the latest failure below libgit2 */
};

/* A git_transport_cb; the payload is the struct git_wire. */
int git_wire_transport(git_transport **out, git_remote *owner, void *payload);

/*
 * After a call of libgit2 that used the wire failed: why, in our words. git_auth, git_not_found,
 * git_network (ERR_UNAVAILABLE: another attempt may help), git_timeout, git_too_large,
 * git_protocol, git_bad_pack, git_bad_object (our own
 * mirror is damaged), tls, address_denied, redirect_denied, scheme_denied, disk_full, and
 * the run's own canceled and timeout. Returns -1.
 */
int git_wire_error(const struct git_wire *wire, struct err *err);

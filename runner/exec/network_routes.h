/*
 * network_routes: which addresses the network of a build does not reach, as routes in its own
 * namespace. A build cannot change them: it has no CAP_NET_ADMIN.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* An IPv4 range; the address in host byte order, bits beyond `bits` zero. */
struct range {
	uint32_t address;
	int bits;
};

struct ranges {
	struct range *items;
	size_t len;
};

void ranges_add(struct ranges *r, uint32_t address, int bits); /* clears the bits beyond */
void ranges_release(struct ranges *r);

/* The private, shared, link-local (metadata services) and special ranges, and this host's own
 * addresses. */
void ranges_forbidden(struct ranges *out);

/* Those of `forbidden` that no range of `allowed` covers as a whole. */
void ranges_without(struct ranges *out, const struct ranges *forbidden,
		    const struct ranges *allowed);
/* Those of `allowed` that lie within one of `closed`, and so need a route of their own. */
void ranges_within(struct ranges *out, const struct ranges *allowed, const struct ranges *closed);

/* A netlink socket; it stays with the network namespace that it was opened in. Or -1. */
int routes_open(void);
/* "engine_unusable" */
int routes_forbid(int netlink, const struct ranges *r, struct err *err);
int routes_permit(int netlink, const struct ranges *r, uint32_t gateway, struct err *err);

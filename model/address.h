/*
 * address: internet addresses, the ranges that nobody reaches unless the operator says so, and the
 * operator's list of exceptions (git.allow_private_addresses).
 *
 * Two questions are asked at two times:
 *   address_read()   before a connection: is this host name an address in disguise?
 *   address_check()  at the connection: may this very address be reached? (after resolution, so
 *                    that a name that changes its answer wins nothing)
 *
 * An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) counts as the IPv4 address that it
 * reaches. Pure: nothing is resolved here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/str.h"

struct sockaddr;

struct address {
	bool v6;
	unsigned char bytes[16]; /* network order; the first 4 for IPv4 */
};

/* A plain value: copy it as you like. Bits behind the prefix are zero. */
struct cidr {
	struct address net;
	int prefix; /* bits */
};

enum { ADDRESS_TEXT_BYTES = 48, CIDR_TEXT_BYTES = 52 };

/* "10.0.0.0/8", "fd00::/8", or one address ("127.0.0.1"). 0, or -1 when it is none. */
int cidr_parse(struct cidr *out, struct str text);
/* Its text, normalised. Returns `out`. */
const char *cidr_format(char out[CIDR_TEXT_BYTES], const struct cidr *cidr);

enum address_kind {
	ADDRESS_NAME,    /* not an address: a name to resolve */
	ADDRESS_LITERAL, /* *out is filled */
	ADDRESS_WRONG, /* looks like a number, but is no address: "256.1", "1.2.3.4.5", "[::zz]" */
};

/*
 * Read the host of a URL: dotted IPv4 in every form that some resolver takes (127.1, 0x7f.1,
 * 0177.0.0.1, 2130706433, a dot at the end), or IPv6 in brackets (no zone).
 */
enum address_kind address_read(struct address *out, struct str host);
/* Returns `out`. */
const char *address_format(char out[ADDRESS_TEXT_BYTES], const struct address *address);

/* Does one of the ranges cover it, or the IPv4 address inside it? */
bool address_listed(const struct address *address, const struct cidr *list, size_t len);
/* Why it is not reached unless listed ("a private address"), or NULL for a public one. */
const char *address_denied(const struct address *address);

/*
 * May this address be reached? Word "address_denied" (ERR_DENIED) when it is private, loopback,
 * link-local, multicast or otherwise not of the public internet, and `allow` does not cover it.
 * Families other than IPv4 and IPv6 are denied.
 */
int address_check(const struct sockaddr *sa, const struct cidr *allow, size_t allow_len,
		  struct err *err);
/* The same for an address at hand. */
int address_check_one(const struct address *address, const struct cidr *allow, size_t allow_len,
		      struct err *err);

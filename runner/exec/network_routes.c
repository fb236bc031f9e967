#include "runner/exec/network_routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "common/mem.h"

/* ---- ranges ---- */

static uint32_t mask_of(int bits)
{
	return bits ? ~UINT32_C(0) << (32 - bits) : 0;
}

void ranges_add(struct ranges *r, uint32_t address, int bits)
{
	r->items = xreallocarray(r->items, r->len + 1, sizeof *r->items);
	r->items[r->len++] = (struct range){ .address = address & mask_of(bits), .bits = bits };
}

void ranges_release(struct ranges *r)
{
	free(r->items);
	*r = (struct ranges){ 0 };
}

static bool is_inside(struct range inner, struct range outer)
{
	return inner.bits >= outer.bits && (inner.address & mask_of(outer.bits)) == outer.address;
}

static bool is_inside_any(struct range inner, const struct ranges *outer)
{
	for (size_t i = 0; i < outer->len; i++) {
		if (is_inside(inner, outer->items[i]))
			return true;
	}
	return false;
}

static void add_own_addresses(struct ranges *out)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET ||
		    (a->ifa_flags & IFF_LOOPBACK))
			continue;
		const struct sockaddr_in *in = (const void *)a->ifa_addr;
		ranges_add(out, ntohl(in->sin_addr.s_addr), 32);
	}
	freeifaddrs(all);
}

void ranges_forbidden(struct ranges *out)
{
	static const struct range special[] = {
		{ 0x0a000000, 8 },  /* 10.0.0.0: private */
		{ 0x64400000, 10 }, /* 100.64.0.0: shared by carriers and clouds */
		{ 0xa9fe0000, 16 }, /* 169.254.0.0: link-local, metadata services */
		{ 0xac100000, 12 }, /* 172.16.0.0: private */
		{ 0xc0000000, 24 }, /* 192.0.0.0: protocol assignments, some metadata services */
		{ 0xc0a80000, 16 }, /* 192.168.0.0: private */
		{ 0xc6120000, 15 }, /* 198.18.0.0: benchmarks, some internal networks */
		{ 0xa83f8110, 32 }, /* 168.63.129.16: Azure's platform address */
	};

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		ranges_add(out, special[i].address, special[i].bits);
	add_own_addresses(out);
}

void ranges_without(struct ranges *out, const struct ranges *forbidden,
		    const struct ranges *allowed)
{
	for (size_t i = 0; i < forbidden->len; i++) {
		if (!is_inside_any(forbidden->items[i], allowed))
			ranges_add(out, forbidden->items[i].address, forbidden->items[i].bits);
	}
}

void ranges_within(struct ranges *out, const struct ranges *allowed, const struct ranges *forbidden)
{
	for (size_t i = 0; i < allowed->len; i++) {
		if (is_inside_any(allowed->items[i], forbidden))
			ranges_add(out, allowed->items[i].address, allowed->items[i].bits);
	}
}

/* ---- routes ---- */

struct route_message {
	struct nlmsghdr header;
	struct rtmsg route;
	char attributes[64];
};

int routes_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void add_address(struct route_message *m, unsigned short type, uint32_t address)
{
	struct rtattr *a = (void *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));
	uint32_t wire = htonl(address);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(sizeof wire);
	memcpy(RTA_DATA(a), &wire, sizeof wire);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Send, and wait for the kernel's verdict. Returns an errno, 0 when it is done. */
static int talk(int netlink, struct route_message *m)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;

	if (send(netlink, m, m->header.nlmsg_len, 0) < 0)
		return errno;
	ssize_t n = recv(netlink, &answer, sizeof answer, 0);
	if (n < 0)
		return errno;
	if ((size_t)n < sizeof answer.header + sizeof answer.error.error ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -answer.error.error;
}

static int add_route(int netlink, struct range to, unsigned char type, uint32_t gateway,
		     struct err *err)
{
	struct route_message m = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.route = { .rtm_family = AF_INET,
			   .rtm_dst_len = (unsigned char)to.bits,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_UNIVERSE,
			   .rtm_type = type },
	};

	add_address(&m, RTA_DST, to.address);
	if (gateway)
		add_address(&m, RTA_GATEWAY, gateway);
	int errnum = talk(netlink, &m);
	if (errnum == 0 || errnum == EEXIST)
		return 0;
	return err_set_errno(err, ERR_INTERNAL, "engine_unusable", errnum,
			     "cannot set a route of the build's network");
}

int routes_forbid(int netlink, const struct ranges *r, struct err *err)
{
	for (size_t i = 0; i < r->len; i++) {
		if (add_route(netlink, r->items[i], RTN_PROHIBIT, 0, err) < 0)
			return -1;
	}
	return 0;
}

int routes_permit(int netlink, const struct ranges *r, uint32_t gateway, struct err *err)
{
	for (size_t i = 0; i < r->len; i++) {
		if (add_route(netlink, r->items[i], RTN_UNICAST, gateway, err) < 0)
			return -1;
	}
	return 0;
}

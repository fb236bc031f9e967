#include "model/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define V4(a, b, c, d)                                                                             \
	{                                                                                          \
		.v6 = false, .bytes = { a, b, c, d }                                               \
	}
#define V6(...)                                                                                    \
	{                                                                                          \
		.v6 = true, .bytes = { __VA_ARGS__ }                                               \
	}

/* What is not of the public internet. The first row that covers an address names the reason. */
static const struct {
	struct cidr range;
	const char *reason;
} special[] = {
	{ { V4(0, 0, 0, 0), 8 }, "an unspecified address" },
	{ { V4(10, 0, 0, 0), 8 }, "a private address" },
	{ { V4(100, 64, 0, 0), 10 }, "a carrier's shared address" },
	{ { V4(127, 0, 0, 0), 8 }, "a loopback address" },
	/* The host's agent on Azure machines: public by its number, local in fact. */
	{ { V4(168, 63, 129, 16), 32 }, "the address of a cloud host's agent" },
	{ { V4(169, 254, 0, 0), 16 }, "a link-local address" },
	{ { V4(172, 16, 0, 0), 12 }, "a private address" },
	{ { V4(192, 0, 0, 0), 24 }, "a reserved address" },
	{ { V4(192, 168, 0, 0), 16 }, "a private address" },
	{ { V4(198, 18, 0, 0), 15 }, "a private address (benchmarks)" },
	{ { V4(224, 0, 0, 0), 4 }, "a multicast address" },
	{ { V4(240, 0, 0, 0), 4 }, "a reserved or broadcast address" },
	{ { V6(0), 128 }, "an unspecified address" },
	{ { V6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 128 }, "a loopback address" },
	{ { V6(0xfc), 7 }, "a private address" },
	{ { V6(0xfe, 0x80), 10 }, "a link-local address" },
	{ { V6(0xfe, 0xc0), 10 }, "a private address (site-local)" },
	{ { V6(0xff), 8 }, "a multicast address" },
	{ { V6(0x20, 0x01, 0x00, 0x00), 32 }, "a tunnel address (Teredo)" },
};

/* The public part of IPv6; what lies outside is local to somebody or not given out. */
static const struct cidr global_v6 = { V6(0x20), 3 };

/* Where an IPv6 address carries the IPv4 address that it reaches. */
static const struct {
	struct cidr range;
	int offset;
} carriers[] = {
	{ { V6(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 96 }, 12 }, /* mapped */
	{ { V6(0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 96 }, 12 },       /* translated (SIIT) */
	{ { V6(0, 0x64, 0xff, 0x9b), 96 }, 12 },                      /* NAT64 */
	{ { V6(0x20, 0x02), 16 }, 2 },                                /* 6to4 */
};

static bool covers(const struct cidr *range, const struct address *a)
{
	int whole = range->prefix / 8, rest = range->prefix % 8;

	if (range->net.v6 != a->v6 || memcmp(range->net.bytes, a->bytes, (size_t)whole) != 0)
		return false;
	if (rest == 0)
		return true;
	unsigned mask = 0xff00u >> rest & 0xff;
	return (range->net.bytes[whole] & mask) == (a->bytes[whole] & mask);
}

/* The IPv4 address inside *a, in *out; false when there is none. */
static bool carried(const struct address *a, struct address *out)
{
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
		if (covers(&carriers[i].range, a)) {
			*out = (struct address){ 0 };
			memcpy(out->bytes, a->bytes + carriers[i].offset, 4);
			return true;
		}
	}
	return false;
}

bool address_listed(const struct address *address, const struct cidr *list, size_t len)
{
	struct address inner;
	bool has_inner = carried(address, &inner);

	for (size_t i = 0; i < len; i++) {
		if (covers(&list[i], address) || (has_inner && covers(&list[i], &inner)))
			return true;
	}
	return false;
}

const char *address_denied(const struct address *address)
{
	struct address inner;

	if (carried(address, &inner))
		return address_denied(&inner);
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (covers(&special[i].range, address))
			return special[i].reason;
	}
	if (address->v6 && !covers(&global_v6, address))
		return "not an address of the public internet";
	return NULL;
}

/* ---- text ---- */

/* One number as inet_aton() reads it: 0x hexadecimal, 0 octal, else decimal. */
static bool read_number(struct str text, uint64_t max, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;

	if (str_starts(text, "0x") || str_starts(text, "0X")) {
		base = 16;
		text = str_after(text, 2);
	} else if (text.len > 1 && text.ptr[0] == '0') {
		base = 8;
		text = str_after(text, 1);
	} else if (text.len == 0) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
							: 16;
		if (digit >= base)
			return false;
		value = value * base + digit;
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

/* Would a resolver take a host that ends in this label for a number? */
static bool is_numeric(struct str label)
{
	bool hex = str_starts(label, "0x") || str_starts(label, "0X");

	for (size_t i = hex ? 2 : 0; i < label.len; i++) {
		char c = label.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if ((c < '0' || c > '9') && !(hex && is_letter))
			return false;
	}
	return label.len > 0;
}

/* One to four numbers; the last one fills the bytes that are left. */
static bool read_v4(struct address *out, struct str host)
{
	struct str part;
	uint64_t numbers[4], value = 0;
	size_t n = 0;

	while (str_split(&host, '.', &part)) {
		bool last = !host.ptr;
		uint64_t max = last && n < 4 ? UINT32_MAX >> (8 * n) : 255;
		if (n == 4 || !read_number(part, max, &numbers[n]))
			return false;
		n++;
	}
	if (n == 0)
		return false;
	for (size_t i = 0; i + 1 < n; i++)
		value |= numbers[i] << (24 - 8 * i);
	value |= numbers[n - 1];
	*out = (struct address){ .bytes = { (unsigned char)(value >> 24),
					    (unsigned char)(value >> 16),
					    (unsigned char)(value >> 8), (unsigned char)value } };
	return true;
}

static bool read_v6(struct address *out, struct str text)
{
	char copy[INET6_ADDRSTRLEN];
	struct address read = { .v6 = true };

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, read.bytes) != 1)
		return false;
	*out = read;
	return true;
}

enum address_kind address_read(struct address *out, struct str host)
{
	if (host.len && host.ptr[0] == '[') {
		if (host.ptr[host.len - 1] != ']' ||
		    !read_v6(out, str_slice(host, 1, host.len - 1)))
			return ADDRESS_WRONG;
		return ADDRESS_LITERAL;
	}
	if (host.len && host.ptr[host.len - 1] == '.')
		host.len--;

	size_t label = host.len;
	while (label && host.ptr[label - 1] != '.')
		label--;
	if (!is_numeric(str_after(host, label)))
		return ADDRESS_NAME;
	return read_v4(out, host) ? ADDRESS_LITERAL : ADDRESS_WRONG;
}

const char *address_format(char out[ADDRESS_TEXT_BYTES], const struct address *address)
{
	inet_ntop(address->v6 ? AF_INET6 : AF_INET, address->bytes, out, ADDRESS_TEXT_BYTES);
	return out;
}

/* Exactly four decimal numbers: a configuration file has no use for the odd forms. */
static bool read_strict_v4(struct address *out, struct str text)
{
	char copy[INET_ADDRSTRLEN];
	struct address read = { .v6 = false };

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, read.bytes) != 1)
		return false;
	*out = read;
	return true;
}

int cidr_parse(struct cidr *out, struct str text)
{
	size_t slash = str_find(text, '/', 0);
	struct str base = str_slice(text, 0, slash);
	struct cidr cidr = { 0 };
	uint64_t prefix;

	if (!read_strict_v4(&cidr.net, base) && !read_v6(&cidr.net, base))
		return -1;
	prefix = cidr.net.v6 ? 128 : 32;
	if (slash < text.len && !str_to_u64(str_after(text, slash + 1), prefix, &prefix))
		return -1;
	cidr.prefix = (int)prefix;

	for (int bit = cidr.prefix; bit < 128; bit++)
		cidr.net.bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
	*out = cidr;
	return 0;
}

const char *cidr_format(char out[CIDR_TEXT_BYTES], const struct cidr *cidr)
{
	char address[ADDRESS_TEXT_BYTES];

	snprintf(out, CIDR_TEXT_BYTES, "%s/%d", address_format(address, &cidr->net), cidr->prefix);
	return out;
}

/* ---- the question ---- */

int address_check_one(const struct address *address, const struct cidr *allow, size_t allow_len,
		      struct err *err)
{
	char text[ADDRESS_TEXT_BYTES];
	const char *reason = address_denied(address);

	if (!reason || address_listed(address, allow, allow_len))
		return 0;
	return err_set(err, ERR_DENIED, "address_denied",
		       "%s is %s; it is reached only when git.allow_private_addresses covers it",
		       address_format(text, address), reason);
}

int address_check(const struct sockaddr *sa, const struct cidr *allow, size_t allow_len,
		  struct err *err)
{
	struct address address = { 0 };

	if (sa->sa_family == AF_INET) {
		memcpy(address.bytes, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		address.v6 = true;
		memcpy(address.bytes, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	} else {
		return err_set(err, ERR_DENIED, "address_denied",
			       "only IPv4 and IPv6 addresses are reached");
	}
	return address_check_one(&address, allow, allow_len, err);
}

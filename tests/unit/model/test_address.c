#include "model/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/unit.h"

static const char *read_kind(const char *host, char text[ADDRESS_TEXT_BYTES])
{
	struct address a;

	switch (address_read(&a, str_from(host))) {
	case ADDRESS_NAME: return "name";
	case ADDRESS_WRONG: return "wrong";
	case ADDRESS_LITERAL: break;
	}
	return address_format(text, &a);
}

static void every_notation_of_an_address_is_read(void **state)
{
	static const struct {
		const char *host, *want;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "127.1", "127.0.0.1" },
		{ "127.0.1", "127.0.0.1" },
		{ "2130706433", "127.0.0.1" },
		{ "0x7f000001", "127.0.0.1" },
		{ "0X7F.1", "127.0.0.1" },
		{ "0177.0.0.1", "127.0.0.1" },
		{ "127.0.0.1.", "127.0.0.1" },
		{ "0", "0.0.0.0" },
		{ "10.256", "10.0.1.0" },
		{ "4294967295", "255.255.255.255" },
		{ "4294967296", "wrong" },
		{ "256.0.0.1", "wrong" },
		{ "1.2.3.4.5", "wrong" },
		{ "1.2.3.256", "wrong" },
		{ "08.1.1.1", "wrong" },
		{ "a.1", "wrong" },
		{ "1..1", "wrong" },
		{ "[::1]", "::1" },
		{ "[::ffff:127.0.0.1]", "::ffff:127.0.0.1" },
		{ "[::1%lo]", "wrong" },
		{ "[::1", "wrong" },
		{ "[]", "wrong" },
		{ "[127.0.0.1]", "wrong" },
		{ "", "name" },
		{ ".", "name" },
		{ "example.org", "name" },
		{ "127.0.0.1.example", "name" },
		{ "0x7g", "name" },
		{ "1e1", "name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[ADDRESS_TEXT_BYTES];
		assert_string_equal(read_kind(rows[i].host, text), rows[i].want);
	}
}

static bool reachable(const char *text, const char *allow)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr *sa = (struct sockaddr *)&v4;
	struct cidr list[1];
	struct err err = { 0 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) != 1) {
		assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		sa = (struct sockaddr *)&v6;
	}
	if (allow)
		assert_int_equal(cidr_parse(list, str_from(allow)), 0);
	if (address_check(sa, list, allow ? 1 : 0, &err) == 0)
		return true;
	assert_string_equal(err.word, "address_denied");
	assert_int_equal(err.code, ERR_DENIED);
	return false;
}

static void addresses_that_are_not_public_are_denied(void **state)
{
	static const char *const rows[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"100.100.100.200",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"168.63.129.16",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.192",
		"192.168.0.1",
		"198.18.0.1",
		"198.19.255.255",
		"224.0.0.1",
		"239.1.1.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fc00::1",
		"fd00:ec2::254",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:0a00:1",
		"64:ff9b::7f00:1",
		"64:ff9b::a00:1",
		"2002:7f00:1::",
		"2002:a00:1::1",
		"64:ff9b:1::7f00:1",
		"2001::1",
		"::127.0.0.1",
		"::ffff:0:7f00:1",
		"100::1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (reachable(rows[i], NULL))
			fail_msg("%s is reached", rows[i]);
	}
}

static void public_addresses_are_reached(void **state)
{
	static const char *const rows[] = {
		"1.1.1.1",        "9.255.255.255", "11.0.0.0",         "100.63.255.255",
		"100.128.0.0",    "126.0.0.1",     "128.0.0.1",        "172.15.0.1",
		"172.32.0.1",     "192.167.1.1",   "198.17.0.1",       "223.255.255.255",
		"140.82.121.4",   "2606:50c0::1",  "64:ff9b::808:808", "2002:808:808::1",
		"::ffff:8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!reachable(rows[i], NULL))
			fail_msg("%s is denied", rows[i]);
	}
}

static void the_operators_list_lets_an_address_through(void **state)
{
	(void)state;
	assert_true(reachable("127.0.0.1", "127.0.0.0/8"));
	assert_true(reachable("::ffff:127.0.0.1", "127.0.0.0/8"));
	assert_true(reachable("::1", "::1"));
	assert_true(reachable("10.1.2.3", "10.1.0.0/16"));
	assert_true(reachable("fd00::7", "fd00::/8"));
	assert_true(reachable("192.168.3.4", "0.0.0.0/0"));
	assert_true(reachable("100.65.0.1", "100.64.0.0/10"));
	assert_false(reachable("100.65.0.1", "100.96.0.0/11"));
	assert_false(reachable("10.2.0.1", "10.1.0.0/16"));
	assert_false(reachable("127.0.0.1", "::1"));
	assert_false(reachable("::1", "127.0.0.0/8"));
}

static void a_range_is_printed_normalised(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "127.0.0.0/8", "127.0.0.0/8" },
		{ "10.1.2.3/8", "10.0.0.0/8" },
		{ "192.168.1.1", "192.168.1.1/32" },
		{ "FD00::1/8", "fd00::/8" },
		{ "::1", "::1/128" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
	};
	static const char *const wrong[] = {
		"",          "/8",     "10.0.0.0/33", "10.0.0.0/",    "10.0.0.0/-1", "10/8",
		"localhost", "::/129", "0x7f.0.0.1",  "10.0.0.0/8/8", " 10.0.0.0/8", "fe80::1%lo"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[CIDR_TEXT_BYTES];
		struct cidr cidr;
		assert_int_equal(cidr_parse(&cidr, str_from(rows[i].text)), 0);
		assert_string_equal(cidr_format(text, &cidr), rows[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct cidr cidr;
		if (cidr_parse(&cidr, str_from(wrong[i])) == 0)
			fail_msg("'%s' is a range", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_notation_of_an_address_is_read),
		cmocka_unit_test(addresses_that_are_not_public_are_denied),
		cmocka_unit_test(public_addresses_are_reached),
		cmocka_unit_test(the_operators_list_lets_an_address_through),
		cmocka_unit_test(a_range_is_printed_normalised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/mem.h"
#include "runner/exec/network_routes.h"

static bool holds(const struct ranges *r, uint32_t address, int bits)
{
	for (size_t i = 0; i < r->len; i++) {
		if (r->items[i].address == address && r->items[i].bits == bits)
			return true;
	}
	return false;
}

static void bits_behind_the_prefix_are_cleared(void **state)
{
	struct ranges r = { 0 };

	(void)state;
	ranges_add(&r, 0x0a010203, 8);
	ranges_add(&r, 0xffffffff, 0);
	ranges_add(&r, 0x0a010203, 32);
	assert_true(holds(&r, 0x0a000000, 8));
	assert_true(holds(&r, 0, 0));
	assert_true(holds(&r, 0x0a010203, 32));
	ranges_release(&r);
}

static void private_ranges_and_metadata_are_forbidden(void **state)
{
	struct ranges r = { 0 };

	(void)state;
	ranges_forbidden(&r);
	assert_true(holds(&r, 0x0a000000, 8));
	assert_true(holds(&r, 0xac100000, 12));
	assert_true(holds(&r, 0xc0a80000, 16));
	assert_true(holds(&r, 0xa9fe0000, 16));
	assert_true(holds(&r, 0x64400000, 10));
	ranges_release(&r);
}

static void an_exception_opens_what_it_covers_and_no_more(void **state)
{
	struct ranges forbidden = { 0 }, allowed = { 0 }, closed = { 0 }, opened = { 0 };

	(void)state;
	ranges_add(&forbidden, 0x0a000000, 8);  /* 10.0.0.0/8 */
	ranges_add(&forbidden, 0xc0a80000, 16); /* 192.168.0.0/16 */
	ranges_add(&forbidden, 0xcb007105, 32); /* the host's own 203.0.113.5 */
	ranges_add(&allowed, 0x0a140000, 16);   /* 10.20.0.0/16: within */
	ranges_add(&allowed, 0xc0000000, 2);    /* 192.0.0.0/2: covers the others whole */
	ranges_without(&closed, &forbidden, &allowed);
	ranges_within(&opened, &allowed, &closed);
	assert_int_equal(closed.len, 1);
	assert_true(holds(&closed, 0x0a000000, 8));
	assert_int_equal(opened.len, 1);
	assert_true(holds(&opened, 0x0a140000, 16));
	ranges_release(&forbidden);
	ranges_release(&allowed);
	ranges_release(&closed);
	ranges_release(&opened);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_behind_the_prefix_are_cleared),
		cmocka_unit_test(private_ranges_and_metadata_are_forbidden),
		cmocka_unit_test(an_exception_opens_what_it_covers_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

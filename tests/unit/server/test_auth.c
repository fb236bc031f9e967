/* Who is an administrator. */
#include "server/auth.h"
#include "tests/unit/unit.h"

enum { STRANGER = 54321 };

static void tcp_peer_is_nobody_whatever_it_claims(void **state)
{
	struct http_peer peer = { .is_unix = false, .uid = 0, .gid = 0 };

	(void)state;
	assert_false(auth_is_admin(&peer));
}

static void root_and_the_service_itself_are_administrators(void **state)
{
	struct http_peer root = { .is_unix = true, .uid = 0, .gid = STRANGER };
	struct http_peer own = { .is_unix = true, .uid = geteuid(), .gid = STRANGER };

	(void)state;
	assert_true(auth_is_admin(&root));
	assert_true(auth_is_admin(&own));
}

static void stranger_on_the_socket_is_not(void **state)
{
	struct http_peer peer = { .is_unix = true, .uid = STRANGER, .gid = STRANGER };
	struct http_peer unknown = { .is_unix = true, .uid = (uid_t)-1, .gid = (gid_t)-1 };

	(void)state;
	assert_false(auth_is_admin(&peer));
	assert_false(auth_is_admin(&unknown));
}

static void group_of_a_service_that_runs_as_root_opens_nothing(void **state)
{
	struct http_peer peer = { .is_unix = true, .uid = STRANGER, .gid = getegid() };

	(void)state;
	assert_int_equal(auth_is_admin(&peer), getegid() != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_peer_is_nobody_whatever_it_claims),
		cmocka_unit_test(root_and_the_service_itself_are_administrators),
		cmocka_unit_test(stranger_on_the_socket_is_not),
		cmocka_unit_test(group_of_a_service_that_runs_as_root_opens_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

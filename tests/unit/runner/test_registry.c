#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/scope.h"
#include "runner/exec/registry.h"

static void assert_challenge(const char *header, const char *name, const char *expected)
{
	cleanup_free char *got = registry_challenge(header, name);

	if (expected)
		assert_string_equal(got, expected);
	else
		assert_null(got);
}

static void parameters_of_a_challenge_are_read(void **state)
{
	(void)state;
	const char *header = "Bearer realm=\"https://auth.example.org/token?a=b\","
			     "service=registry.example.org, scope=\"repository:app:pull,push\"";

	assert_challenge(header, "realm", "https://auth.example.org/token?a=b");
	assert_challenge(header, "service", "registry.example.org");
	assert_challenge(header, "scope", "repository:app:pull,push");
	assert_challenge(header, "error", NULL);
	assert_challenge("Bearer Realm=\"x\"", "realm", "x");
}

static void parameter_inside_another_word_is_none(void **state)
{
	(void)state;
	assert_challenge("Bearer xrealm=\"a\",realm=\"b\"", "realm", "b");
	assert_challenge("Bearer realm", "realm", NULL);
	assert_challenge("Bearer realm=\"open", "realm", "open");
	assert_challenge("", "realm", NULL);
}

static void credentials_go_to_the_registry_and_its_parents_only(void **state)
{
	static const struct {
		const char *registry, *realm;
		bool trusted;
	} rows[] = {
		{ "127.0.0.1:5000", "http://127.0.0.1:5001/token", true },
		{ "registry.gitlab.com", "https://gitlab.com/jwt/auth", true },
		{ "REGISTRY.example.org:443", "https://registry.EXAMPLE.org/token", true },
		{ "docker.io", "https://auth.docker.io/token", true },
		{ "registry-1.docker.io", "https://auth.docker.io/token", true },
		{ "[::1]:5000", "https://[::1]:5001/token", true },
		{ "registry.example.org", "https://evil.org/token", false },
		{ "registry.example.org", "https://auth.example.org/token", false },
		{ "registry.example.org", "https://notexample.org/", false },
		{ "registry.example.org", "https://org/token", false },
		{ "example.org", "https://registry.example.org.evil.org/", false },
		{ "example.org", "https://example.org@evil.org/token", false },
		{ "example.org", "https://evil.org/?example.org", false },
		{ "example.org", "https:///token", false },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (registry_trusts_realm(rows[i].registry, rows[i].realm) != rows[i].trusted)
			fail_msg("%s and %s", rows[i].registry, rows[i].realm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_of_a_challenge_are_read),
		cmocka_unit_test(parameter_inside_another_word_is_none),
		cmocka_unit_test(credentials_go_to_the_registry_and_its_parents_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

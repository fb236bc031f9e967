#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/buildah_config.h"

static char words[][24] = { "a", "b", "c" };
static char local[] = "127.0.0.1:5000", far[] = "registry.example.org",
	    odd[] = "x\"\n[[registry]]\\", first[] = "a.example:1", quoted[] = "c\"example",
	    bob[] = "bob", eve[] = "eve";

static void only_insecure_registries_are_insecure(void **state)
{
	struct spec_registry registries[] = {
		{ .name = words[0], .login_server = local, .insecure = true },
		{ .name = words[1], .login_server = far },
	};
	struct spec s = { .registries = registries, .registries_len = 2 };
	cleanup_buf struct buf text = BUF_INIT;

	(void)state;
	buildah_registries_conf(&text, &s);
	assert_non_null(strstr(text.ptr, "location = \"127.0.0.1:5000\"\ninsecure = true\n"));
	assert_null(strstr(text.ptr, "example.org"));
	assert_non_null(strstr(text.ptr, "unqualified-search-registries = [\"docker.io\"]"));
}

static void values_cannot_leave_their_quotes(void **state)
{
	struct spec_registry registry = { .name = words[0], .login_server = odd, .insecure = true };
	struct spec s = { .registries = &registry, .registries_len = 1 };
	cleanup_buf struct buf text = BUF_INIT;

	(void)state;
	buildah_registries_conf(&text, &s);
	assert_non_null(strstr(text.ptr, "location = \"x\\\"\\u000a[[registry]]\\\\\"\n"));
}

static void logins_stand_in_base64_by_registry(void **state)
{
	struct spec_registry registries[] = {
		{ .name = words[0], .login_server = first, .username = bob },
		{ .name = words[1], .login_server = far },
		{ .name = words[2], .login_server = quoted, .username = eve },
	};
	struct spec s = { .registries = registries, .registries_len = 3 };
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_json json_t *object = NULL;
	struct err err;

	(void)state;
	secret_set(&registries[0].password, STR("pass:word"));
	secret_set(&registries[2].password, STR("x"));
	buildah_auth(&text, &s);
	assert_int_equal(json_read(&object, buf_str(&text), NULL, &err), 0);
	json_t *auths = json_object_get(object, "auths");
	assert_int_equal(json_object_size(auths), 2);
	json_t *a = json_object_get(auths, "a.example:1");
	assert_string_equal(json_string_value(json_object_get(a, "auth")), "Ym9iOnBhc3M6d29yZA==");
	assert_non_null(json_object_get(auths, "c\"example"));
	secret_release(&registries[0].password);
	secret_release(&registries[2].password);
}

static void no_logins_are_an_empty_object(void **state)
{
	struct spec s = { 0 };
	cleanup_buf struct buf text = BUF_INIT;

	(void)state;
	buildah_auth(&text, &s);
	assert_string_equal(text.ptr, "{\"auths\":{}}\n");
}

static void names_that_programs_read_are_not_free(void **state)
{
	static const char *const taken[] = { "PATH",
					     "HOME",
					     "TMPDIR",
					     "LD_PRELOAD",
					     "GODEBUG",
					     "https_proxy",
					     "HTTP_PROXY",
					     "CONTAINERS_CONF",
					     "REGISTRY_AUTH_FILE",
					     "BUILDAH_ISOLATION",
					     "SSL_CERT_FILE",
					     "_CONTAINERS_ROOTLESS_UID",
					     "XDG_RUNTIME_DIR",
					     "STORAGE_DRIVER",
					     "container" };
	static const char *const free_names[] = { "TOKEN",   "NPM_TOKEN", "GOOGLE_KEY", "GOPRIVATE",
						  "API_KEY", "PASSWORD",  "PATHS" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		assert_false(buildah_env_is_free(taken[i]));
	for (size_t i = 0; i < ARRAY_LEN(free_names); i++)
		assert_true(buildah_env_is_free(free_names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_insecure_registries_are_insecure),
		cmocka_unit_test(values_cannot_leave_their_quotes),
		cmocka_unit_test(logins_stand_in_base64_by_registry),
		cmocka_unit_test(no_logins_are_an_empty_object),
		cmocka_unit_test(names_that_programs_read_are_not_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

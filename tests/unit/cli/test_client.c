#include "tests/unit/unit.h"

#include "cli/client.h"

static void assert_path(const char *server, const char *url, const char *path)
{
	struct client *client = client_create(server, NULL, false);
	assert_string_equal(client_path_of(client, url), path);
	client_destroy(client);
}

static void the_host_of_a_link_does_not_count(void **state)
{
	(void)state;
	setenv("SLIPWAY_SOCKET", "/nowhere/slipway.sock", 1);
	unsetenv("SLIPWAY_SERVER");
	assert_path(NULL, "http://10.0.0.1:8080/v1/x?a=b", "/v1/x?a=b");
	assert_path(NULL, "https://ci.example.org/v1/x", "/v1/x");
	assert_path(NULL, "/v1/x?next=http://a/b", "/v1/x?next=http://a/b");
	assert_path(NULL, "https://ci.example.org", "");
	assert_path("http://127.0.0.1:80", "http://127.0.0.1:8080/v1/x", "/v1/x");
}

static void a_folder_of_the_proxy_is_kept_once(void **state)
{
	(void)state;
	const char *server = "https://ci.example.org/slipway/";

	assert_path(server, "https://ci.example.org/slipway/v1/x", "/v1/x");
	assert_path(server, "https://ci.example.org/v1/x", "/v1/x");
	assert_path(server, "https://ci.example.org/slipways/v1/x", "/slipways/v1/x");
}

/* The first request tells; nothing is connected to. */
static void a_wrong_setting_is_a_usage_error(void **state)
{
	(void)state;
	static const struct {
		const char *server, *token_file;
	} rows[] = { { "ci.example.org", NULL },
		     { "ftp://ci.example.org", NULL },
		     { "file:///etc/passwd", NULL },
		     { "http://127.0.0.1:1", "/nowhere/token" } };
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct client *client = client_create(rows[i].server, rows[i].token_file, false);
		err = (struct err){ 0 };
		assert_int_equal(client_json(client, "GET", "/v1/registries", NULL, NULL, &err),
				 -1);
		assert_int_not_equal(err.code, ERR_UNAVAILABLE);
		assert_true(*err.msg);
		client_destroy(client);
	}
}

static void nobody_there_is_unreachable(void **state)
{
	(void)state;
	struct err err;

	setenv("SLIPWAY_SOCKET", "/nowhere/slipway.sock", 1);
	unsetenv("SLIPWAY_SERVER");
	struct client *client = client_create(NULL, NULL, false);
	assert_fails(client_json(client, "GET", "/v1/registries", NULL, NULL, &err), "unreachable");
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_has(err.msg, "/nowhere/slipway.sock");
	assert_has(err.msg, "slipway serve");
	assert_int_equal(client_status(client), 0);
	client_destroy(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_of_a_link_does_not_count),
		cmocka_unit_test(a_folder_of_the_proxy_is_kept_once),
		cmocka_unit_test(a_wrong_setting_is_a_usage_error),
		cmocka_unit_test(nobody_there_is_unreachable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/config/files.h"

#include <sys/stat.h>

static struct err err;

static void assert_refused(const char *path, const char *word, const char *part)
{
	struct config c = { .max_running = 4711 };
	assert_fails(config_load(&c, path, &err), word);
	assert_has(err.msg, part);
	assert_int_equal(c.max_running, 4711);
}

/* `part` is what the message must say behind "slipway.yaml:". */
struct row {
	const char *text, *word, *part;
};

static void assert_rows_refused(void **state, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *path = files_config(state, rows[i].text, 0600);
		cleanup_free char *part = xasprintf("slipway.yaml:%s", rows[i].part);
		assert_refused(path, rows[i].word, part);
	}
}

static void every_wrong_value_is_told_with_its_place(void **state)
{
	static const struct row rows[] = {
		/* the text itself */
		{ "a: [", "yaml_syntax", "2:1: " },
		{ "max_running: 1\nmax_running: 2", "yaml_duplicate", "2:1: " },
		{ "a: &x 1", "yaml_alias", "1:4: " },
		{ "max_running: !!int 1", "yaml_directive", "1:14: " },
		{ "- a", "config_invalid", "1:1: must be keys with values" },
		{ "word", "config_invalid", "1:1: must be keys with values" },

		/* keys */
		{ "lisen: none", "config_unknown_key",
		  "1:1: unknown key 'lisen'; did you mean 'listen'?" },
		{ "run:\n  timeout: 5", "config_unknown_key",
		  "2:3: unknown key 'timeout' in run; did you mean 'timeout_s'?" },
		{ "zzzzzz: 1", "config_unknown_key", "1:1: unknown key 'zzzzzz'" },
		{ "<<: { listen: none }", "config_unknown_key", "1:1: unknown key '<<'" },
		{ "webhooks:\n - { name: g, provider: github, secret: x }", "config_unknown_key",
		  "2:33: unknown key 'secret' in webhooks[0]; did you mean 'secrets'?" },

		/* kinds */
		{ "max_running:", "config_invalid", "1:13: max_running: has no value" },
		{ "listen: ''", "config_invalid", "1:9: listen: must not be empty" },
		{ "base_url: \"a\\nb\"", "config_invalid", "1:11: base_url: must be one line" },
		{ "listen: [ a ]", "config_invalid", "1:9: listen: must be one value, not a list" },
		{ "listen: { a: b }", "config_invalid",
		  "1:9: listen: must be one value, not keys" },
		{ "run: 5", "config_invalid", "1:6: run: must be keys with values" },
		{ "run: [ 5 ]", "config_invalid", "1:6: run: must be keys with values" },
		{ "registries: { name: a }", "config_invalid", "1:13: registries: must be a list" },
		{ "registries: [ a ]", "config_invalid", "1:15: registries[0]: must be keys" },
		{ "git: { allow_schemes: https }", "config_invalid",
		  "1:23: git.allow_schemes: must be a list" },
		{ "git: { allow_schemes: [ https, file ] }", "config_invalid",
		  "1:32: git.allow_schemes[1]: 'file' is not one of them; known: https, http, git, "
		  "ssh" },
		{ "git: { allow_schemes: [ https, https ] }", "config_invalid",
		  "1:32: git.allow_schemes[1]: stands in the list twice" },

		/* booleans */
		{ "listen_insecure: no", "config_invalid",
		  "1:18: listen_insecure: must be true or false" },
		{ "listen_insecure: on", "config_invalid", "1:18: " },
		{ "listen_insecure: True", "config_invalid", "1:18: " },
		{ "listen_insecure: \"yes\"", "config_invalid", "1:18: " },
		{ "listen_insecure: \"true\"", "config_invalid",
		  "1:18: listen_insecure: must be true or false, without quotes" },
		{ "listen_insecure: ~", "config_invalid", "1:18: listen_insecure: has no value" },
		{ "listen_insecure: 1", "config_invalid", "1:18: " },

		/* numbers and sizes */
		{ "max_running: 0", "config_invalid",
		  "1:14: max_running: must be a whole number from 1 to 1024" },
		{ "max_running: 1025", "config_invalid", "1:14: " },
		{ "max_running: -1", "config_invalid", "1:14: " },
		{ "max_running: 1.5", "config_invalid", "1:14: " },
		{ "max_running: 1K", "config_invalid", "1:14: " },
		{ "max_running: 0x10", "config_invalid", "1:14: " },
		{ "max_running: '2'", "config_invalid",
		  "1:14: max_running: must be a number, without quotes" },
		{ "max_running: 18446744073709551617", "config_invalid", "1:14: " },
		{ "run: { timeout_s: 604801 }", "config_invalid", "1:19: run.timeout_s: " },
		{ "run: { cpus: -1 }", "config_invalid",
		  "1:14: run.cpus: must be a number from 0 to 4096" },
		{ "run: { cpus: 1e3 }", "config_invalid", "1:14: " },
		{ "run: { cpus: 1.2.3 }", "config_invalid", "1:14: " },
		{ "run: { cpus: inf }", "config_invalid", "1:14: " },
		{ "limits: { webhook_body_bytes: 26M }", "config_invalid",
		  "1:31: limits.webhook_body_bytes: must be a size in bytes (K, M and G may follow) "
		  "from 1K to 25M" },
		{ "limits: { log_bytes: 5T }", "config_invalid", "1:22: " },
		{ "limits: { log_bytes: 5MB }", "config_invalid", "1:22: " },
		{ "limits: { log_bytes: 5 M }", "config_invalid", "1:22: " },
		{ "limits: { log_bytes: M }", "config_invalid", "1:22: " },
		{ "limits: { log_bytes: 5k }", "config_invalid", "1:22: " },
		{ "limits: { log_bytes: 18014398509481984K }", "config_invalid", "1:22: " },

		/* addresses and URLs */
		{ "base_url: ci.example.org", "config_invalid", "1:11: base_url: must be http" },
		{ "base_url: ftp://ci.example.org", "config_invalid", "1:11: " },
		{ "base_url: 'https://'", "config_invalid", "1:11: " },
		{ "base_url: 'https://u:p@ci.example.org'", "config_invalid", "1:11: " },
		{ "base_url: 'https://ci.example.org/?q'", "config_invalid", "1:11: " },
		{ "base_url: 'https://ci.example.org:99999'", "config_invalid", "1:11: " },
		{ "base_url: 'javascript:alert(1)'", "config_invalid", "1:11: " },
		{ "git: { allow_private_addresses: [ 10.0.0.0/33 ] }", "config_invalid",
		  "1:35: git.allow_private_addresses[0]: '10.0.0.0/33' is no network" },
		{ "git: { allow_private_addresses: [ intranet ] }", "config_invalid", "1:35: " },
		{ "git: { credentials: [ { url: github.com, token: x } ] }", "config_invalid",
		  "1:30: git.credentials[0].url: must be https://" },
		{ "git: { credentials: [ { url: 'https://a/' } ] }", "config_invalid",
		  "1:23: git.credentials[0].token: is required" },
		{ "git:\n  credentials:\n  - { url: 'https://a/', token: x }\n"
		  "  - { url: 'https://a/', token: y }",
		  "config_invalid", "4:12: git.credentials[1].url: two credentials" },
		{ "git:\n  credentials:\n  - { url: 'https://a/b', token: x }\n"
		  "  - { url: 'https://a/b/', token: y }",
		  "config_invalid", "4:12: git.credentials[1].url: two credentials" },
		{ "git: { credentials: [ { url: 'https://bob:pw@a/', token: x } ] }",
		  "config_invalid",
		  "1:30: git.credentials[0].url: must be https://HOST/PATH/ (or http://), without a "
		  "user name in it" },
		{ "git: { credentials: [ { url: 'https://token@a/', token: x } ] }",
		  "config_invalid", "1:30: git.credentials[0].url: " },
		{ "git: { credentials: [ { url: 'https://a/', username: 'a:b', token: x } ] }",
		  "config_invalid", "1:54: git.credentials[0].username: must not hold a ':'" },
		{ "git: { credentials: [ { url: 'https://a/', token: x, submodules: yes } ] }",
		  "config_invalid", "1:66: git.credentials[0].submodules: must be true or false" },
		{ "git: { allow_ports: 3000 }", "config_invalid",
		  "1:21: git.allow_ports: must be a list" },
		{ "git: { allow_ports: [ 3000, 0 ] }", "config_invalid",
		  "1:29: git.allow_ports[1]: must be a whole number from 1 to 65535" },
		{ "git: { allow_ports: [ 65536 ] }", "config_invalid", "1:23: " },
		{ "git: { allow_ports: [ https ] }", "config_invalid", "1:23: " },
		{ "git: { submodule_hosts: [ 'https://github.com' ] }", "config_invalid",
		  "1:27: git.submodule_hosts[0]: must be the name of a host, such as github.com" },
		{ "git: { submodule_hosts: [ github.com/acme ] }", "config_invalid", "1:27: " },
		{ "git: { submodule_hosts: [ 'github.com:443' ] }", "config_invalid", "1:27: " },
		{ "git: { submodule_hosts: [ '*.github.com' ] }", "config_invalid", "1:27: " },
		{ "git: { credential_command: /bin/ask }", "config_invalid",
		  "1:28: git.credential_command: must be a list" },
		{ "git: { credential_command: [ ask, get ] }", "config_invalid",
		  "1:30: git.credential_command[0]: must be the absolute path of a program" },
		{ "git: { credential_command: [ '' ] }", "config_invalid",
		  "1:30: git.credential_command[0]: must not be empty" },

		/* what is not built yet */
		{ "database: postgres://db/slipway", "config_invalid",
		  "1:11: database: 'postgres' is not available in this version; known: sqlite:FILE" },
		{ "database: 'sqlite:'", "config_invalid", "1:11: database: must name a file" },
		{ "database: 'sqlite::memory:'", "config_invalid", "1:11: database: must name" },
		{ "engine: { kind: docker }", "config_invalid",
		  "1:17: engine.kind: 'docker' is not available in this version; known: buildah" },
		{ "webhooks: [ { name: a, username: u, provider: svn } ]", "config_invalid",
		  "1:47: webhooks[0].provider: 'svn' is not available in this version; known: github" },
		{ "engine: { isolation: vm }", "config_invalid",
		  "1:22: engine.isolation: 'vm' is not one of them; known: auto, oci, chroot" },
		{ "engine: { pull: sometimes }", "config_invalid", "1:17: engine.pull: " },
		{ "engine: { runtime: '--help' }", "config_invalid", "1:20: engine.runtime: " },
		{ "engine: { path: '~/buildah' }", "config_invalid",
		  "1:17: engine.path: write the whole path" },
	};
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void registries_must_be_whole_and_have_different_names(void **state)
{
	static const struct row rows[] = {
		{ "registries: [ { login_server: a } ]", "config_invalid",
		  "1:15: registries[0].name: is required" },
		{ "registries: [ { name: a } ]", "config_invalid",
		  "1:15: registries[0].login_server: is required" },
		{ "registries: [ { name: 'a b', login_server: a } ]", "config_invalid",
		  "1:23: registries[0].name: must be letters" },
		{ "registries: [ { name: -a, login_server: a } ]", "config_invalid", "1:23: " },
		{ "registries: [ { name: a/b, login_server: a } ]", "config_invalid", "1:23: " },
		{ "registries: [ { name: a12345678901234567890123456789012345678901234567890, "
		  "login_server: a } ]",
		  "config_invalid", "1:23: " },
		{ "registries: [ { name: a, login_server: 'https://r.example.org' } ]",
		  "config_invalid",
		  "1:40: registries[0].login_server: must be HOST or HOST:PORT only" },
		{ "registries: [ { name: a, login_server: 'r:0' } ]", "config_invalid", "1:40: " },
		{ "registries: [ { name: a, login_server: 'r:' } ]", "config_invalid", "1:40: " },
		{ "registries: [ { name: a, login_server: '-r' } ]", "config_invalid", "1:40: " },
		{ "registries: [ { name: a, login_server: '[::1' } ]", "config_invalid", "1:40: " },
		{ "registries:\n- { name: a, login_server: x }\n- { name: A, login_server: y }",
		  "config_invalid", "3:11: registries[1].name: 'A' is the name of two registries" },
		{ "registries:\n- { name: a, login_server: x, username: u }", "config_invalid",
		  "2:41: registries[0].username: username and password go together" },
		{ "registries:\n- { name: a, login_server: x, password: p }", "config_invalid",
		  "2:41: registries[0].password: username and password go together" },
		{ "default_registry: b\nregistries: [ { name: a, login_server: x } ]",
		  "config_invalid", "1:19: default_registry: no registry is named 'b'" },
	};
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void a_webhook_must_have_a_secret(void **state)
{
	static const struct row rows[] = {
		{ "webhooks: [ { name: a, provider: github } ]", "config_invalid",
		  "1:13: webhooks[0].secrets: is required" },
		{ "webhooks: [ { name: a, provider: github, secrets: [] } ]", "config_invalid",
		  "1:51: webhooks[0].secrets: must have at least one" },
		{ "webhooks: [ { name: a, provider: github, secrets: } ]", "config_invalid",
		  "1:51: webhooks[0].secrets: has no value" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ '' ] } ]", "config_invalid",
		  "1:53: webhooks[0].secrets[0]: the secret itself is empty" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ x, ~ ] } ]",
		  "config_invalid", "1:56: webhooks[0].secrets[1]: " },
		{ "webhooks: [ { name: a, provider: github, secrets: x } ]", "config_invalid",
		  "1:51: webhooks[0].secrets: must be a list" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ 'env:NOT_SET_HERE' ] } ]",
		  "config_secret",
		  "1:53: webhooks[0].secrets[0]: the environment variable NOT_SET_HERE is not set" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ 'file:none' ] } ]",
		  "config_secret", "1:53: webhooks[0].secrets[0]: cannot open the secret file" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ 'file:empty' ] } ]",
		  "config_invalid", "1:53: webhooks[0].secrets[0]: the secret in " },
		{ "webhooks: [ { name: a, provider: github, secrets: [ 'file:open' ] } ]",
		  "config_perm", "1:53: webhooks[0].secrets[0]: the secret file " },
		{ "webhooks:\n- { name: a, provider: github, secrets: [ x ] }\n"
		  "- { name: a, provider: github, secrets: [ y ] }",
		  "config_invalid", "3:11: webhooks[1].name: 'a' is the name of two webhooks" },
	};
	free(folder_file(state, "empty", "", 0600));
	free(folder_file(state, "open", "x", 0644));
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void each_provider_has_its_own_proof(void **state)
{
	static const struct row rows[] = {
		{ "webhooks: [ { name: a, provider: github, secrets: [ x ], username: u } ]",
		  "config_invalid", "1:68: webhooks[0].username: is not for github, which signs" },
		{ "webhooks: [ { name: a, provider: github, passwords: [ x ] } ]", "config_invalid",
		  "1:53: webhooks[0].passwords: is not for github" },
		{ "webhooks: [ { name: a, provider: github, secrets: [ x ], header: X-T } ]",
		  "config_invalid", "1:66: webhooks[0].header: is not for github" },
		{ "webhooks: [ { name: a, provider: azure-repos } ]", "config_invalid",
		  "1:13: webhooks[0].passwords: are required, because this provider signs" },
		{ "webhooks: [ { name: a, provider: azure-repos, username: u } ]", "config_invalid",
		  "1:57: webhooks[0].username: wants 'passwords'" },
		{ "webhooks: [ { name: a, provider: azure-repos, username: 'u:v', passwords: [ x ] } ]",
		  "config_invalid", "1:57: webhooks[0].username: must not hold a ':'" },
		{ "webhooks: [ { name: a, provider: azure-repos, passwords: [] } ]",
		  "config_invalid", "1:58: webhooks[0].passwords: must have at least one" },
		{ "webhooks: [ { name: a, provider: azure-repos, passwords: [ '' ] } ]",
		  "config_invalid", "1:60: webhooks[0].passwords[0]: the secret itself is empty" },
		{ "webhooks: [ { name: a, provider: azure-repos, header: X-T } ]", "config_invalid",
		  "1:55: webhooks[0].header: wants 'secrets'" },
		{ "webhooks: [ { name: a, provider: azure-repos, secrets: [ x ] } ]",
		  "config_invalid", "1:56: webhooks[0].secrets: are the values of a header here" },
		{ "webhooks: [ { name: a, provider: azure-repos, header: 'X T', secrets: [ x ] } ]",
		  "config_invalid",
		  "1:55: webhooks[0].header: must be the name of an HTTP header" },
	};
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void literal_secrets_need_a_private_file(void **state)
{
	const char *text = "webhooks: [ { name: a, provider: github, secrets: [ hunter2 ] } ]";
	cleanup_free char *path = files_config(state, text, 0640);

	assert_refused(path, "config_perm", "slipway.yaml:1:53: webhooks[0].secrets[0]: ");
	assert_null(strstr(err.msg, "hunter2"));
	assert_int_equal(chmod(path, 0400), 0);
	struct config c;
	assert_works(config_load(&c, path, &err));
	config_release(&c);
}

static void bad_addresses_to_listen_on_have_their_word(void **state)
{
	static const struct row rows[] = {
		{ "listen: 127.0.0.1:0", "config_listen", "1:9: listen: '0' is no port" },
		{ "listen: 127.0.0.1:65536", "config_listen", "1:9: listen: '65536' is no port" },
		{ "listen: 127.0.0.1:-1", "config_listen", "1:9: " },
		{ "listen: 127.0.0.1:80a", "config_listen", "1:9: listen: '80a' is no port" },
		{ "listen: '127.0.0.1:'", "config_listen", "1:9: " },
		{ "listen: 127.0.0.1:000080", "config_listen", "1:9: " },
		{ "listen: 8080", "config_listen", "1:9: listen: must be ADDRESS:PORT" },
		{ "listen: ':8080'", "config_listen", "1:9: listen: the address is missing" },
		{ "listen: '*:8080'", "config_listen", "1:9: listen: '*' is no address" },
		{ "listen: localhost:8080", "config_listen", "1:9: " },
		{ "listen: '[::1]'", "config_listen", "1:9: " },
		{ "listen: '[::zz]:80'", "config_listen", "1:9: " },
		{ "listen: '::1:80'", "config_listen", "1:9: " },
		{ "listen: 1.2.3:80", "config_listen", "1:9: " },
		{ "listen: 0.0.0.0:8080", "config_insecure", "1:9: listen: 0.0.0.0:8080 can be" },
		{ "listen: '[::]:8080'", "config_insecure", "1:9: " },
		{ "listen: 10.0.0.1:8080\nlisten_insecure: false", "config_insecure", "1:9: " },
	};
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void the_certificate_must_be_usable(void **state)
{
	static const struct row rows[] = {
		{ "tls: { certificate: good.pem }", "config_tls",
		  "1:6: tls: certificate and key go together" },
		{ "tls: { key: good.key }", "config_tls", "1:6: " },
		{ "tls: { certificate: good.pem, key: other.key }", "config_tls",
		  "1:36: tls.key: " },
		{ "tls: { certificate: old.pem, key: old.key }", "config_tls",
		  "1:21: tls.certificate: " },
		{ "tls: { certificate: early.pem, key: early.key }", "config_tls", "1:21: " },
		{ "tls: { certificate: open.pem, key: open.key }", "config_tls",
		  "1:36: tls.key: " },
		{ "tls: { certificate: none.pem, key: good.key }", "config_tls", "1:21: " },
		{ "tls: { certificate: good.key, key: good.key }", "config_tls", "1:21: " },
		{ "tls: { certificate: good.pem, key: good.pem }", "config_tls", "1:36: " },
	};
	files_certificate(state, "good", -60, 3600, 0600);
	files_certificate(state, "other", -60, 3600, 0600);
	files_certificate(state, "old", -7200, -3600, 0600);
	files_certificate(state, "early", 3600, 7200, 0600);
	files_certificate(state, "open", -60, 3600, 0644);
	assert_rows_refused(state, rows, ARRAY_LEN(rows));
}

static void the_file_must_be_one_that_can_be_read(void **state)
{
	cleanup_free char *missing = folder_path(state, "missing");
	cleanup_free char *link = folder_path(state, "link");
	cleanup_free char *fifo = folder_path(state, "fifo");
	cleanup_free char *empty = folder_file(state, "empty", "", 0600);
	cleanup_free char *blank = folder_file(state, "blank", " \n\n", 0600);
	cleanup_free char *large = folder_path(state, "large");
	cleanup_free char *many = xcalloc(1, 300000);

	assert_int_equal(symlink(link, link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_works(fs_write_atomic(large, (struct str){ many, 300000 }, 0600, &err));
	assert_refused(missing, "config", "missing: No such file");
	assert_refused(*state, "config", "is a folder");
	assert_refused("/dev/null", "config", "not a file");
	assert_refused(link, "config", "symbolic links");
	assert_refused(fifo, "config", "not a file");
	assert_refused(empty, "config", "is empty");
	assert_refused(blank, "config", "is empty");
	assert_refused(large, "config", "larger than 256 KiB");
	setenv("SLIPWAY_CONFIG", missing, 1);
	assert_refused(NULL, "config", "missing: No such file");
	unsetenv("SLIPWAY_CONFIG");
}

static void a_hostile_file_is_quoted_briefly(void **state)
{
	cleanup_buf struct buf text = BUF_INIT;
	for (int i = 0; i < 100; i++)
		buf_adds(&text, "\\e[31m");
	cleanup_free char *key = xasprintf("\"%s\": 1", text.ptr);
	cleanup_free char *value = xasprintf("engine: { kind: \"%s\" }", text.ptr);

	cleanup_free char *path = files_config(state, key, 0600);
	assert_refused(path, "config_unknown_key", "unknown key '?[31m");
	assert_true(strlen(err.msg) < strlen(path) + 200);
	free(files_config(state, value, 0600));
	assert_refused(path, "config_invalid", "'?[31m");
	assert_true(strlen(err.msg) < strlen(path) + 200);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(every_wrong_value_is_told_with_its_place),
		IN_FOLDER(registries_must_be_whole_and_have_different_names),
		IN_FOLDER(a_webhook_must_have_a_secret),
		IN_FOLDER(each_provider_has_its_own_proof),
		IN_FOLDER(literal_secrets_need_a_private_file),
		IN_FOLDER(bad_addresses_to_listen_on_have_their_word),
		IN_FOLDER(the_certificate_must_be_usable),
		IN_FOLDER(the_file_must_be_one_that_can_be_read),
		IN_FOLDER(a_hostile_file_is_quoted_briefly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/config/files.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "model/address.h"

static struct err err;

static struct config load(void **state, const char *text)
{
	struct config c = { 0 };
	cleanup_free char *path = files_config(state, text, 0600);
	assert_works(config_load(&c, path, &err));
	return c;
}

static void assert_default_limits(const struct config *c)
{
	assert_int_equal(c->limits.head_bytes, 32 * 1024);
	assert_int_equal(c->limits.head_lines, 100);
	assert_int_equal(c->limits.webhook_body_bytes, 5 << 20);
	assert_int_equal(c->limits.json_depth, 64);
	assert_int_equal(c->limits.json_nodes, 200000);
	assert_int_equal(c->limits.upload_expanded_bytes, INT64_C(2) << 30);
	assert_int_equal(c->limits.git_object_bytes, 512 << 20);
	assert_int_equal(c->limits.git_timeout_s, 600);
	assert_int_equal(c->limits.log_line_bytes, 64 * 1024);
}

static void without_a_file_there_are_defaults(void **state)
{
	(void)state;
	struct config c;

	config_defaults(&c);
	assert_null(c.file);
	assert_true(c.data_dir[0] == '/');
	assert_string_equal(c.listen, "127.0.0.1:8080");
	assert_string_equal(c.database, "sqlite:slipway.db");
	assert_true(c.max_running >= 1);
	assert_string_equal(c.engine.kind, "buildah");
	assert_string_equal(c.engine.path, "/usr/bin/buildah");
	assert_int_equal(c.run.timeout_s, 3600);
	assert_int_equal(c.git.allow_schemes.len, 1);
	assert_string_equal(c.git.allow_schemes.items[0], "https");
	assert_int_equal(c.git.allow_ports_len, 0);
	assert_int_equal(c.git.submodule_hosts.len, 0);
	assert_int_equal(c.git.credential_command.len, 0);
	assert_int_equal(c.git.allow_private_addresses_len, 0);
	assert_default_limits(&c);
	config_release(&c);
	assert_null(c.listen);
	config_release(&c);
}

static void without_registries_there_is_one_that_goes_nowhere(void **state)
{
	(void)state;
	struct config c;

	config_defaults(&c);
	assert_int_equal(c.registries_len, 1);
	assert_string_equal(c.default_registry, "default");
	assert_string_equal(config_default_registry(&c)->name, "default");
	assert_null(config_default_registry(&c)->login_server);
	config_release(&c);
}

static const char everything[] =
	"data_dir: /srv/slipway\n"
	"listen: '[::1]:9090'\n"
	"base_url: https://ci.example.org/slipway/\n"
	"database: sqlite:/var/db/s.db\n"
	"max_running: 7\n"
	"default_registry: second\n"
	"registries:\n"
	"  - { name: main, login_server: '127.0.0.1:5000', insecure: true }\n"
	"  - name: Second\n"
	"    login_server: registry.example.org\n"
	"    username: bob\n"
	"    password: literal word\n"
	"webhooks:\n"
	"  - { name: github, provider: github, secrets: [ 'env:HOOK_ONE', two ] }\n"
	"  - { name: azure, provider: azure-repos, username: slipway, passwords: [ three ],\n"
	"      header: X-Hook-Token, secrets: [ four ] }\n"
	"  - { name: anybody, provider: azure-repos, passwords: [ five ] }\n"
	"git:\n"
	"  allow_private_addresses: [ 127.0.0.0/8, 'fd00::/8' ]\n"
	"  allow_schemes: [ http, https ]\n"
	"  allow_ports: [ 3000, 65535 ]\n"
	"  submodule_hosts: [ github.com, '[::1]' ]\n"
	"  credentials:\n"
	"    - { url: 'https://github.com/acme/', token: tok }\n"
	"    - { url: 'https://git.test/', username: bob, token: x, submodules: true }\n"
	"  credential_command: [ /usr/local/bin/ask, '--as: a b', get ]\n"
	"engine: { isolation: chroot, runtime: /usr/bin/runc, network: host, pull: never }\n"
	"run: { timeout_s: 60, grace_s: 1, memory_bytes: 512M, pids: 100, cpus: 1.5 }\n"
	"limits: { log_bytes: 1G, json_depth: 8 }\n"
	"retention:\n";

static void every_key_is_read(void **state)
{
	setenv("HOOK_ONE", "one", 1);
	struct config c = load(state, everything);

	assert_string_equal(c.data_dir, "/srv/slipway");
	assert_string_equal(c.listen, "[::1]:9090");
	assert_string_equal(c.base_url, "https://ci.example.org/slipway");
	assert_int_equal(c.max_running, 7);
	assert_int_equal(c.registries_len, 2);
	assert_true(c.registries[0].insecure);
	assert_false(secret_is_set(&c.registries[0].password));
	assert_false(c.registries[1].insecure);
	assert_string_equal(c.registries[1].username, "bob");
	assert_string_equal(secret_reveal(&c.registries[1].password), "literal word");
	assert_ptr_equal(config_default_registry(&c), &c.registries[1]);
	assert_int_equal(c.webhooks_len, 3);
	assert_int_equal(c.webhooks[0].secrets_len, 2);
	assert_string_equal(secret_reveal(&c.webhooks[0].secrets[0]), "one");
	assert_string_equal(secret_reveal(&c.webhooks[0].secrets[1]), "two");
	assert_string_equal(c.webhooks[1].username, "slipway");
	assert_int_equal(c.webhooks[1].passwords_len, 1);
	assert_string_equal(secret_reveal(&c.webhooks[1].passwords[0]), "three");
	assert_string_equal(c.webhooks[1].header, "X-Hook-Token");
	assert_string_equal(secret_reveal(&c.webhooks[1].secrets[0]), "four");
	assert_null(c.webhooks[2].username);
	assert_int_equal(c.git.allow_private_addresses_len, 2);
	assert_int_equal(c.git.allow_private_addresses[1].prefix, 8);
	assert_int_equal(c.git.allow_schemes.len, 2);
	assert_int_equal(c.git.allow_ports_len, 2);
	assert_int_equal(c.git.allow_ports[1], 65535);
	assert_int_equal(c.git.submodule_hosts.len, 2);
	assert_string_equal(c.git.submodule_hosts.items[0], "github.com");
	assert_string_equal(secret_reveal(&c.git.credentials[0].token), "tok");
	assert_null(c.git.credentials[0].username);
	assert_false(c.git.credentials[0].submodules);
	assert_string_equal(c.git.credentials[1].username, "bob");
	assert_true(c.git.credentials[1].submodules);
	assert_int_equal(c.git.credential_command.len, 3);
	assert_string_equal(c.git.credential_command.items[1], "--as: a b");
	assert_string_equal(c.engine.runtime, "/usr/bin/runc");
	assert_int_equal(c.run.memory_bytes, 512 << 20);
	assert_true(c.run.cpus > 1.49 && c.run.cpus < 1.51);
	assert_int_equal(c.run.max_attempts, 2);
	assert_int_equal(c.limits.log_bytes, INT64_C(1) << 30);
	assert_int_equal(c.limits.json_depth, 8);
	assert_int_equal(c.limits.json_nodes, 200000);
	assert_int_equal(c.retention.runs_days, 30);
	cleanup_free char *database = config_database_path(&c);
	assert_string_equal(database, "/var/db/s.db");
	config_release(&c);
}

static void registries_are_found_without_case(void **state)
{
	setenv("HOOK_ONE", "one", 1);
	struct config c = load(state, everything);
	assert_ptr_equal(config_registry(&c, STR("MAIN")), &c.registries[0]);
	assert_null(config_registry(&c, STR("mai")));
	assert_null(config_registry(&c, STR("")));
	config_release(&c);
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} rows[] = {
		{ "4096", 4096 },
		{ "4K", 4096 },
		{ "3M", 3 << 20 },
		{ "2G", INT64_C(2) << 30 },
		{ "1024G", INT64_C(1) << 40 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = xasprintf("limits: { log_bytes: %s }", rows[i].text);
		struct config c = load(state, text);
		assert_int_equal(c.limits.log_bytes, rows[i].bytes);
		config_release(&c);
	}
}

static void paths_are_relative_to_the_file(void **state)
{
	free(folder_file(state, "hook.secret", "s3cret\n", 0600));
	files_certificate(state, "tls", -60, 3600, 0600);
	struct config c = load(state, "data_dir: data\n"
				      "tls: { certificate: tls.pem, key: tls.key }\n"
				      "listen: 0.0.0.0:8443\n"
				      "webhooks: [ { name: g, provider: github, "
				      "secrets: [ 'file:hook.secret' ] } ]\n");
	cleanup_free char *data = folder_path(state, "data"), *key = folder_path(state, "tls.key");
	assert_string_equal(c.data_dir, data);
	assert_string_equal(c.tls_key, key);
	assert_string_equal(secret_reveal(&c.webhooks[0].secrets[0]), "s3cret");
	config_release(&c);
}

static void listening_everywhere_needs_tls_or_a_word(void **state)
{
	static const char *const good[] = {
		"listen: none",
		"listen: 127.9.9.9:1",
		"listen: '[::1]:65535'",
		"listen: 0.0.0.0:80\nlisten_insecure: true",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct config c = load(state, good[i]);
		config_release(&c);
	}
}

static void the_command_line_wins_over_the_file(void **state)
{
	struct config c = load(state, "listen: none");

	assert_works(config_override(&c, NULL, NULL, &err));
	assert_string_equal(c.listen, "none");
	assert_works(config_override(&c, "relative/data", "127.0.0.1:0", &err));
	assert_string_equal(c.listen, "127.0.0.1:0");
	assert_true(c.data_dir[0] == '/' && str_ends(str_from(c.data_dir), "/relative/data"));
	assert_fails(config_override(&c, NULL, "0.0.0.0:80", &err), "config_insecure");
	assert_fails(config_override(&c, NULL, "127.0.0.1:65536", &err), "config_listen");
	assert_has(err.msg, "--listen 127.0.0.1:65536");
	assert_fails(config_override(&c, "", NULL, &err), "config_invalid");
	assert_string_equal(c.listen, "127.0.0.1:0");
	cleanup_free char *database = config_database_path(&c);
	assert_true(str_ends(str_from(database), "/relative/data/slipway.db"));
	config_release(&c);
}

static void the_environment_names_the_file(void **state)
{
	cleanup_free char *path = files_config(state, "max_running: 9", 0644);
	struct config c;

	setenv("SLIPWAY_CONFIG", path, 1);
	assert_works(config_load(&c, NULL, &err));
	unsetenv("SLIPWAY_CONFIG");
	assert_int_equal(c.max_running, 9);
	assert_string_equal(c.file, path);
	config_release(&c);
}

/* Another user finds the file and the data in the folders of XDG. Exits 0 when it does. */
static void other_users_have_their_own_file(void **state)
{
	if (geteuid() != 0)
		skip();
	cleanup_free char *folder = folder_path(state, "config/slipway");
	assert_works(fs_mkdirs(folder, 0755, &err));
	free(folder_file(state, "config/slipway/slipway.yaml", "max_running: 5", 0644));
	cleanup_free char *base = folder_path(state, "config");
	assert_int_equal(chmod(*state, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		struct config c;
		setenv("XDG_CONFIG_HOME", base, 1);
		setenv("XDG_DATA_HOME", "/data", 1);
		unsetenv("SLIPWAY_CONFIG");
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		if (config_load(&c, NULL, &err) < 0)
			_exit(4);
		int rc = c.max_running == 5 && strcmp(c.data_dir, "/data/slipway") == 0 ? 0 : 5;
		config_release(&c);
		_exit(rc);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In the sample, '#' with one blank begins prose; any other '#' at a line's begin hides a value. */
static char *uncommented(const char *text)
{
	struct buf out = BUF_INIT;
	struct str rest = str_from(text), line;

	while (str_split(&rest, '\n', &line)) {
		bool prose = str_starts(line, "# ") && !str_starts(line, "#  ");
		bool value = str_starts(line, "#") && !prose;
		buf_addf(&out, STR_FMT "\n", STR_ARG(str_after(line, value)));
	}
	return buf_detach(&out);
}

static void the_sample_is_right_as_it_is(void **state)
{
	(void)state;
	struct config c;
	assert_works(config_load(&c, SOURCE_DIR "/examples/slipway.yaml", &err));
	assert_string_equal(config_default_registry(&c)->login_server, "127.0.0.1:5000");
	config_release(&c);
}

static void replace_all(struct buf *out, const char *text, const char *what, const char *with)
{
	for (const char *at; (at = strstr(text, what)); text = at + strlen(what)) {
		buf_add(out, text, (size_t)(at - text));
		buf_adds(out, with);
	}
	buf_adds(out, text);
}

static void the_sample_is_right_with_all_that_it_suggests(void **state)
{
	cleanup_buf struct buf sample = BUF_INIT, here = BUF_INIT, once = BUF_INIT;
	assert_works(fs_read(&sample, SOURCE_DIR "/examples/slipway.yaml", &err));
	cleanup_free char *text = uncommented(sample.ptr);

	/* One key of the sample stands there twice: as it is, and as a suggestion. */
	replace_all(&once, text, "  allow_private_addresses: []\n", "");
	replace_all(&here, once.ptr, "/etc/slipway", *state);
	static const char *const secrets[] = { "main.password", "github.secret", "azure.password",
					       "acme.token" };
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		free(folder_file(state, secrets[i], "secret\n", 0600));
	files_certificate(state, "tls", -60, 3600, 0600);

	struct config c = load(state, here.ptr);
	assert_int_equal(c.webhooks_len, 2);
	assert_int_equal(c.git.credentials_len, 1);
	assert_int_equal(c.git.allow_private_addresses_len, 2);
	assert_string_equal(c.registries[0].username, "slipway");
	assert_string_equal(c.base_url, "https://ci.example.org");
	assert_true(c.listen_insecure);
	config_release(&c);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_there_are_defaults),
		cmocka_unit_test(without_registries_there_is_one_that_goes_nowhere),
		IN_FOLDER(every_key_is_read),
		IN_FOLDER(registries_are_found_without_case),
		IN_FOLDER(sizes_are_powers_of_1024),
		IN_FOLDER(paths_are_relative_to_the_file),
		IN_FOLDER(listening_everywhere_needs_tls_or_a_word),
		IN_FOLDER(the_command_line_wins_over_the_file),
		IN_FOLDER(the_environment_names_the_file),
		IN_FOLDER(other_users_have_their_own_file),
		cmocka_unit_test(the_sample_is_right_as_it_is),
		IN_FOLDER(the_sample_is_right_with_all_that_it_suggests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

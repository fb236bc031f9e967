#include "tests/unit/config/files.h"

static struct err err;

static char *printed(const struct config *c)
{
	struct buf out = BUF_INIT;
	config_print(c, &out);
	return buf_detach(&out);
}

/* The first line says which file it was. */
static const char *below_first_line(const char *text)
{
	return strchr(text, '\n') + 1;
}

static void what_is_printed_can_be_read_again(void **state)
{
	static const char *const texts[] = {
		"{}",
		"listen: none\nbase_url: 'http://[::1]:80/a'\n",
		"registries:\n"
		"- { name: a, login_server: 'r:5000', username: 'it''s: #1', password: 'env:PW' }\n"
		"- { name: b, login_server: r, insecure: true }\n"
		"default_registry: b\n"
		"webhooks: [ { name: g, provider: github, secrets: [ 'env:PW', 'env:PW' ] },\n"
		"  { name: a, provider: azure-repos, username: u, passwords: [ 'env:PW' ],\n"
		"    header: X-T, secrets: [ 'env:PW' ] } ]\n"
		"git:\n"
		"  allow_schemes: [ ssh ]\n"
		"  allow_private_addresses: [ 10.0.0.0/8, '::1' ]\n"
		"  allow_ports: [ 3000, 22 ]\n"
		"  submodule_hosts: [ github.com ]\n"
		"  credential_command: [ /bin/ask, 'it''s: #1', '-' ]\n"
		"  credentials: [ { url: 'https://a/b/', token: 'env:PW', submodules: true } ]\n"
		"run: { cpus: 0.25, memory_bytes: 1025 }\n",
	};
	setenv("PW", "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config first, second;
		cleanup_free char *path = files_config(state, texts[i], 0600);
		assert_works(config_load(&first, path, &err));
		cleanup_free char *before = printed(&first);
		free(files_config(state, before, 0600));
		assert_works(config_load(&second, path, &err));
		cleanup_free char *after = printed(&second);
		assert_string_equal(after, before);
		config_release(&first);
		config_release(&second);
	}
}

static void the_defaults_can_be_read_too(void **state)
{
	struct config none, c;

	config_defaults(&none);
	cleanup_free char *before = printed(&none);
	cleanup_free char *path = files_config(state, before, 0644);
	assert_works(config_load(&c, path, &err));
	cleanup_free char *after = printed(&c);
	assert_string_equal(below_first_line(after), below_first_line(before));
	config_release(&none);
	config_release(&c);
}

static void secrets_are_printed_as_where_they_are(void **state)
{
	struct config c;

	free(folder_file(state, "token", "in-the-file\n", 0600));
	setenv("PW", "in-the-environment", 1);
	cleanup_free char *path = files_config(
		state,
		"registries: [ { name: a, login_server: r, username: u, password: in-clear } ]\n"
		"webhooks: [ { name: g, provider: github, secrets: [ 'env:PW', in-clear-too ] } ]\n"
		"git: { credentials: [ { url: 'https://a/', token: 'file:token' } ] }\n",
		0600);
	assert_works(config_load(&c, path, &err));
	cleanup_free char *text = printed(&c),
			  *token = xasprintf("token: file:%s/token\n", (char *)*state);
	assert_has(text, "password: '(literal)'\n");
	assert_has(text, "secrets: [ env:PW, '(literal)' ]\n");
	assert_has(text, token);
	assert_null(strstr(text, "in-"));
	config_release(&c);
}

static void the_page_in_docs_is_the_one_of_the_table(void **state)
{
	(void)state;
	cleanup_buf struct buf page = BUF_INIT, wanted = BUF_INIT;

	assert_works(fs_read(&page, SOURCE_DIR "/docs/configuration.md", &err));
	config_document(&wanted);
	if (!str_eq(buf_str(&page), buf_str(&wanted)))
		fail_msg("docs/configuration.md is old: cmake --build build --target docs");
}

/* Every key has its line in the page, and the page says what each default is. */
static void the_page_names_keys_and_defaults(void **state)
{
	(void)state;
	cleanup_buf struct buf page = BUF_INIT;

	config_document(&page);
	static const char *const parts[] = {
		"## `registries[]`",
		"## `git.credentials[]`",
		"| `webhook_body_bytes` | size, 1K to 25M | `5M` |",
		"| `provider` | `github`, ",
		"| `allow_schemes` | list of `https`, `http`, `git`, `ssh` | `[https]` |",
		"| `allow_ports` | list of numbers, 1 to 65535 | `[]` |",
		"| `submodule_hosts` | list of texts | `[]` |",
		"| `max_running` | number, 1 to 1024 | the number of processors |",
		"| `listen_insecure` | boolean | `false` |",
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_has(page.ptr, parts[i]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_printed_can_be_read_again),
		IN_FOLDER(the_defaults_can_be_read_too),
		IN_FOLDER(secrets_are_printed_as_where_they_are),
		cmocka_unit_test(the_page_in_docs_is_the_one_of_the_table),
		cmocka_unit_test(the_page_names_keys_and_defaults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

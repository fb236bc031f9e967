#include "tests/unit/unit.h"

#include "common/scope.h"
#include "model/vars.h"

static const struct vars vars = {
	.run_id = "ca7",
	.registry = "127.0.0.1:5000",
	.registry_name = "main",
	.date = "20240131-120000z",
	.commit = "abc",
	.branch = "feature-x",
	.git_tag = "",
	.task = "web",
	.os = "linux",
	.architecture = "amd64",
};

static void variables_are_filled_in(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "app:{{.Run.ID}}", "app:ca7" },
		{ "app:{{ .Run.ID }}", "app:ca7" },
		{ "{{.Run.Registry}}/{{.Run.RegistryName}}", "127.0.0.1:5000/main" },
		{ "{{.Run.Date}}-{{.Run.Commit}}-{{.Run.Branch}}",
		  "20240131-120000z-abc-feature-x" },
		{ "[{{.Run.GitTag}}]", "[]" },
		{ "{{.Run.TaskName}}{{.Run.OS}}{{.Run.Architecture}}", "weblinuxamd64" },
		{ "{{.Build.ID}}", "ca7" },
		{ "a{b}c}}d", "a{b}c}}d" },
		{ "{", "{" },
		{ "{ {.Run.ID}}", "{ {.Run.ID}}" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_buf struct buf out = BUF_INIT;
		assert_works(vars_expand(&out, &vars, str_from(rows[i].text), &err));
		assert_true(str_is(buf_str(&out), rows[i].wanted));
	}
}

static void mistakes_are_named_with_the_nearest_variable(void **state)
{
	(void)state;
	struct err err;
	cleanup_buf struct buf out = BUF_INIT;

	buf_adds(&out, "kept");
	assert_fails(vars_expand(&out, &vars, STR("a:{{.Run.Id}}"), &err), "variable_invalid");
	assert_has(err.msg, "{{.Run.ID}}");
	assert_fails(vars_expand(&out, &vars, STR("{{.Run.Comit}}"), &err), "variable_invalid");
	assert_has(err.msg, "{{.Run.Commit}}");
	assert_fails(vars_expand(&out, &vars, STR("{{Run.ID}}"), &err), "variable_invalid");
	assert_fails(vars_expand(&out, &vars, STR("{{}}"), &err), "variable_invalid");
	assert_fails(vars_expand(&out, &vars, STR("{{.Values.x}}"), &err), "variable_invalid");
	assert_fails(vars_expand(&out, &vars, STR("ab{{.Run.ID"), &err), "variable_invalid");
	assert_has(err.msg, "column 3");
	assert_fails(vars_expand(&out, &vars, STR("{{.Run.ID}"), &err), "variable_invalid");
	assert_fails(vars_expand(&out, &vars, STR("{{"), &err), "variable_invalid");
	assert_string_equal(out.ptr, "kept");
}

static void the_ceiling_of_the_buffer_holds(void **state)
{
	(void)state;
	struct err err;
	cleanup_buf struct buf out = BUF_LIMIT(20);

	assert_fails(vars_expand(&out, &vars, STR("{{.Run.Date}}{{.Run.Date}}"), &err),
		     "variable_invalid");
	assert_int_equal(err.code, ERR_LIMIT);
}

static void samples_make_a_valid_name_of_every_variable(void **state)
{
	(void)state;
	struct err err;
	cleanup_buf struct buf out = BUF_INIT;

	assert_works(vars_expand_sample(
		&out, STR("{{.Run.Registry}}/{{.Run.RegistryName}}:{{.Run.GitTag}}"), &err));
	assert_string_equal(out.ptr, "registry.example.org/registry:v1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_filled_in),
		cmocka_unit_test(mistakes_are_named_with_the_nearest_variable),
		cmocka_unit_test(the_ceiling_of_the_buffer_holds),
		cmocka_unit_test(samples_make_a_valid_name_of_every_variable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

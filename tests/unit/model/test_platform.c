#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "model/platform.h"

static void names_are_read_without_case(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "linux/amd64", "linux/amd64" },   { "Linux/ARM64/V8", "linux/arm64/v8" },
		{ "linux/arm/v7", "linux/arm/v7" }, { "windows/amd64", "windows/amd64" },
		{ "linux/x86", "linux/386" },       { "linux/386", "linux/386" },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct platform p = { 0 };
		assert_works(platform_parse(&p, str_from(rows[i].text), &err));
		cleanup_free char *shown = platform_text(&p);
		assert_string_equal(shown, rows[i].shown);
		platform_release(&p);
	}
}

static void an_unsaid_architecture_is_this_machines(void **state)
{
	(void)state;
	struct err err;
	struct platform p = { 0 };
	cleanup_free char *wanted = xasprintf("linux/%s", platform_host_architecture());

	assert_null(platform_text(&p));
	assert_null(platform_to_json(&p));
	assert_works(platform_parse(&p, STR("linux"), &err));
	cleanup_free char *shown = platform_text(&p);
	assert_string_equal(shown, wanted);
	platform_release(&p);
}

static void others_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"plan9",
		"linux/",
		"/amd64",
		"linux/amd64/",
		"linux/amd64/v8",
		"linux/arm64/v9",
		"linux/arm64/v8/x",
		"linux//v8",
		"linux amd64",
		"linux/mips",
		"--all",
	};
	struct err err;
	struct platform p;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (platform_parse(&p, str_from(texts[i]), &err) == 0)
			fail_msg("'%s' was taken", texts[i]);
		assert_string_equal(err.word, "platform_invalid");
	}
}

static void json_goes_there_and_back(void **state)
{
	(void)state;
	struct err err;
	struct platform p = { 0 };
	cleanup_json json_t *said =
		json_pack("{s:s,s:s,s:s}", "os", "Linux", "architecture", "arm64", "variant", "v8");
	cleanup_json json_t *empty = json_object();
	cleanup_json json_t *number = json_pack("{s:i}", "os", 7);
	cleanup_json json_t *half = json_pack("{s:s}", "architecture", "arm64");

	assert_works(platform_from_json(&p, said, "platform", &err));
	cleanup_json json_t *back = platform_to_json(&p);
	assert_string_equal(json_string_value(json_object_get(back, "os")), "linux");
	assert_string_equal(json_string_value(json_object_get(back, "variant")), "v8");
	platform_release(&p);
	assert_works(platform_from_json(&p, empty, "platform", &err));
	assert_null(p.os);
	assert_fails(platform_from_json(&p, number, "platform", &err), "bad_request");
	assert_has(err.msg, "platform.os");
	assert_fails(platform_from_json(&p, half, "platform", &err), "platform_invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_without_case),
		cmocka_unit_test(an_unsaid_architecture_is_this_machines),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(json_goes_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

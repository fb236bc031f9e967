#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "model/build.h"

static json_t *parsed(const char *json)
{
	struct err err;
	json_t *object = NULL;
	assert_works(json_read(&object, str_from(json), NULL, &err));
	return object;
}

static int read_build(struct build *b, const char *json, struct err *err)
{
	cleanup_json json_t *object = parsed(json);
	*b = (struct build){ 0 };
	return build_from_json(b, object, "properties.step", err);
}

static const char request[] =
	"{\"type\":\"DockerBuildRequest\",\"imageNames\":[\"app:{{.Run.ID}}\",\"app:x\"],"
	"\"isPushEnabled\":true,\"noCache\":true,\"dockerFilePath\":\"build/Dockerfile.prod\","
	"\"target\":\"two\",\"arguments\":[{\"name\":\"A\",\"value\":\"1\",\"isSecret\":false},"
	"{\"name\":\"S\",\"value\":\"hush\",\"isSecret\":true}],\"timeout\":600,"
	"\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"},"
	"\"sourceLocation\":\"source/x.tar.gz\",\"contextAccessToken\":\"tok\",\"credentials\":{}}";

static void a_build_request_is_read(void **state)
{
	(void)state;
	struct err err;
	struct build b;

	assert_works(read_build(&b, request, &err));
	assert_string_equal(b.context, "source/x.tar.gz");
	assert_string_equal(secret_reveal(&b.context_token), "tok");
	assert_string_equal(b.dockerfile, "build/Dockerfile.prod");
	assert_int_equal(b.images.len, 2);
	assert_string_equal(b.images.items[0], "app:{{.Run.ID}}");
	assert_true(b.push && b.no_cache);
	assert_string_equal(b.target, "two");
	assert_int_equal(b.args_len, 2);
	assert_string_equal(b.args[0].value, "1");
	assert_null(b.args[1].value);
	assert_string_equal(secret_reveal(&b.args[1].secret), "hush");
	assert_string_equal(b.platform.variant, "v8");
	assert_int_equal(b.timeout_s, 600);
	build_release(&b);
}

static void what_is_not_said_has_acrs_defaults(void **state)
{
	(void)state;
	struct err err;
	struct build b;

	assert_works(read_build(&b, "{}", &err));
	assert_null(b.context);
	assert_string_equal(b.dockerfile, "Dockerfile");
	assert_true(b.push);
	assert_false(b.no_cache);
	assert_int_equal(b.timeout_s, 0);
	assert_null(b.platform.os);
	build_release(&b);
}

static void mistakes_name_the_field(void **state)
{
	(void)state;
	static const struct {
		const char *json, *word, *has;
	} rows[] = {
		{ "[]", "bad_request", "properties.step" },
		{ "{\"imageNames\":\"app\"}", "bad_request", "properties.step.imageNames" },
		{ "{\"imageNames\":[\"ok\",7]}", "bad_request", "properties.step.imageNames" },
		{ "{\"imageNames\":[\"ok\",\"Not Ok\"]}", "image_invalid",
		  "properties.step.imageNames[1]" },
		{ "{\"imageNames\":[\"-x\"]}", "image_invalid", "start with '-'" },
		{ "{\"imageNames\":[\"a:{{.Run.Nope}}\"]}", "variable_invalid",
		  "properties.step.imageNames[0]" },
		{ "{\"imageNames\":[\"a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"]}",
		  "image_invalid", "tag only" },
		{ "{\"isPushEnabled\":1}", "bad_request", "properties.step.isPushEnabled" },
		{ "{\"noCache\":\"no\"}", "bad_request", "properties.step.noCache" },
		{ "{\"dockerFilePath\":\"\"}", "path_denied", "empty" },
		{ "{\"dockerFilePath\":\"/etc/passwd\"}", "path_denied", "relative" },
		{ "{\"dockerFilePath\":\"../Dockerfile\"}", "path_denied",
		  "properties.step.dockerFilePath" },
		{ "{\"dockerFilePath\":\"a/../../b\"}", "path_denied", "leads out" },
		{ "{\"dockerFilePath\":\"a/\"}", "path_denied", "folder" },
		{ "{\"dockerFilePath\":\".\"}", "path_denied", "folder" },
		{ "{\"dockerFilePath\":\"a\\nb\"}", "path_denied", "control" },
		{ "{\"target\":\"-x\"}", "target_invalid", "properties.step.target" },
		{ "{\"target\":\"a b\"}", "target_invalid", "stage name" },
		{ "{\"target\":\"{{.Nope}}\"}", "variable_invalid", "properties.step.target" },
		{ "{\"arguments\":{}}", "bad_request", "properties.step.arguments" },
		{ "{\"arguments\":[7]}", "bad_request", "properties.step.arguments[0]" },
		{ "{\"arguments\":[{}]}", "bad_request", "properties.step.arguments[0].name" },
		{ "{\"arguments\":[{\"name\":\"1A\"}]}", "arg_invalid",
		  "properties.step.arguments[0]" },
		{ "{\"arguments\":[{\"name\":\"\"}]}", "arg_invalid", "name" },
		{ "{\"arguments\":[{\"name\":\"A=B\"}]}", "arg_invalid", "name" },
		{ "{\"arguments\":[{\"name\":\"--opt\"}]}", "arg_invalid", "name" },
		{ "{\"arguments\":[{\"name\":\"LD_PRELOAD\",\"value\":\"x\"}]}", "arg_invalid",
		  "LD_" },
		{ "{\"arguments\":[{\"name\":\"A\"},{\"name\":\"A\"}]}", "arg_invalid", "twice" },
		{ "{\"arguments\":[{\"name\":\"A\",\"value\":7}]}", "bad_request",
		  "arguments[0].value" },
		{ "{\"arguments\":[{\"name\":\"A\",\"value\":\"{{.X}}\"}]}", "variable_invalid",
		  "arguments[0]" },
		{ "{\"platform\":\"linux\"}", "bad_request", "properties.step.platform" },
		{ "{\"platform\":{\"os\":\"beos\"}}", "platform_invalid",
		  "properties.step.platform.os" },
		{ "{\"timeout\":0}", "bad_request", "properties.step.timeout" },
		{ "{\"timeout\":28801}", "bad_request", "28800" },
		{ "{\"timeout\":1.5}", "bad_request", "properties.step.timeout" },
		{ "{\"commit\":\"HEAD\"}", "sha_invalid", "properties.step.commit" },
		{ "{\"ref\":\"--all\"}", "ref_invalid", "properties.step.ref" },
		{ "{\"contextPath\":7}", "bad_request", "properties.step.contextPath" },
	};
	struct err err;
	struct build b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(read_build(&b, rows[i].json, &err), rows[i].word);
		assert_has(err.msg, rows[i].has);
		assert_null(b.dockerfile); /* untouched */
	}
}

static void a_message_at_the_root_has_no_leading_dot(void **state)
{
	(void)state;
	struct err err;
	struct build b = { 0 };
	cleanup_json json_t *object = parsed("{\"dockerFilePath\":\"/x\"}");

	assert_fails(build_from_json(&b, object, "", &err), "path_denied");
	assert_true(strncmp(err.msg, "dockerFilePath", 14) == 0);
}

static void paths_inside_the_context_are_taken(void **state)
{
	(void)state;
	static const char *const paths[] = { "Dockerfile", "./a/b", "a/../b",
					     "a b/c",      "..x/y", "a//b" };
	struct err err;
	struct build b;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		cleanup_free char *json = xasprintf("{\"dockerFilePath\":\"%s\"}", paths[i]);
		assert_works(read_build(&b, json, &err));
		build_release(&b);
	}
}

static void too_many_names_and_arguments_are_refused(void **state)
{
	(void)state;
	struct err err;
	struct build b;
	cleanup_buf struct buf names = BUF_INIT, args = BUF_INIT;

	for (int i = 0; i <= BUILD_IMAGES_MAX; i++)
		buf_addf(&names, "%s\"a:%d\"", i ? "," : "{\"imageNames\":[", i);
	buf_adds(&names, "]}");
	assert_fails(read_build(&b, names.ptr, &err), "bad_request");
	for (int i = 0; i <= BUILD_ARGS_MAX; i++)
		buf_addf(&args, "%s{\"name\":\"a%d\"}", i ? "," : "{\"arguments\":[", i);
	buf_adds(&args, "]}");
	assert_fails(read_build(&b, args.ptr, &err), "bad_request");
}

static void secrets_are_left_out_and_put_back(void **state)
{
	(void)state;
	struct err err;
	struct build b, again = { 0 };

	assert_works(read_build(&b, request, &err));
	cleanup_json json_t *shown = build_to_json(&b, false);
	cleanup_free char *text = json_text(shown);
	assert_null(strstr(text, "hush"));
	assert_null(strstr(text, "tok"));
	assert_has(text, "{\"name\":\"S\",\"isSecret\":true}");

	cleanup_json json_t *secrets = build_secrets_to_json(&b);
	assert_works(build_from_json(&again, shown, "step", &err));
	assert_false(secret_is_set(&again.context_token));
	build_secrets_merge(&again, secrets);
	cleanup_json json_t *left = build_to_json(&b, true), *right = build_to_json(&again, true);
	assert_true(json_equal(left, right));
	build_release(&b);
	build_release(&again);
}

static void merging_keeps_a_newer_secret(void **state)
{
	(void)state;
	struct err err;
	struct build b;
	cleanup_json json_t *stored = parsed(
		"{\"contextAccessToken\":\"old\",\"arguments\":{\"S\":\"old\",\"A\":\"old\"}}");

	assert_works(read_build(&b, request, &err));
	build_secrets_merge(&b, stored);
	assert_string_equal(secret_reveal(&b.context_token), "tok");
	assert_string_equal(secret_reveal(&b.args[1].secret), "hush");
	assert_string_equal(b.args[0].value, "1"); /* no secret, so none of its business */
	build_secrets_merge(&b, NULL);
	build_release(&b);
}

static void a_build_without_secrets_has_none_to_seal(void **state)
{
	(void)state;
	struct err err;
	struct build b;

	assert_works(read_build(&b, "{\"arguments\":[{\"name\":\"A\",\"value\":\"1\"}]}", &err));
	assert_null(build_secrets_to_json(&b));
	build_release(&b);
}

static void a_copy_shares_nothing(void **state)
{
	(void)state;
	struct err err;
	struct build a, b = { 0 };

	assert_works(read_build(&a, request, &err));
	build_copy(&b, &a);
	build_copy(&b, &a);
	cleanup_json json_t *before = build_to_json(&a, true);
	build_release(&a);
	cleanup_json json_t *after = build_to_json(&b, true);
	assert_true(json_equal(before, after));
	build_release(&b);
	build_release(&b);
	build_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_request_is_read),
		cmocka_unit_test(what_is_not_said_has_acrs_defaults),
		cmocka_unit_test(mistakes_name_the_field),
		cmocka_unit_test(a_message_at_the_root_has_no_leading_dot),
		cmocka_unit_test(paths_inside_the_context_are_taken),
		cmocka_unit_test(too_many_names_and_arguments_are_refused),
		cmocka_unit_test(secrets_are_left_out_and_put_back),
		cmocka_unit_test(merging_keeps_a_newer_secret),
		cmocka_unit_test(a_build_without_secrets_has_none_to_seal),
		cmocka_unit_test(a_copy_shares_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

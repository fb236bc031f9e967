#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "runner/contract/spec.h"

static const char text[] =
	"{\"v\":1,\"runId\":\"ca1\",\"attempt\":2,\"dataDir\":\"/data\",\"task\":\"web\","
	"\"registry\":\"main\",\"deadlineMs\":1700000000000,"
	"\"timeoutMs\":3600000,\"graceMs\":10000,"
	"\"build\":{\"contextPath\":\"https://h/x.git#main\",\"contextAccessToken\":\"tok\","
	"\"imageNames\":[\"app:{{.Run.ID}}\"],\"isPushEnabled\":true,\"noCache\":false,"
	"\"dockerFilePath\":\"Dockerfile\",\"arguments\":[{\"name\":\"S\",\"value\":\"hush\","
	"\"isSecret\":true}]},"
	"\"registries\":[{\"name\":\"main\",\"loginServer\":\"127.0.0.1:5000\",\"username\":\"bob\","
	"\"insecure\":true,\"password\":\"pw\"}],"
	"\"engine\":{\"kind\":\"buildah\",\"path\":\"/usr/bin/buildah\",\"isolation\":\"auto\","
	"\"runtime\":\"auto\",\"network\":\"auto\",\"pull\":\"newer\"},"
	"\"allowAddresses\":[\"127.0.0.0/8\",\"fd00::/8\"],\"allowSchemes\":[\"https\"],"
	"\"allowPorts\":[3000,8443],\"submoduleHosts\":[\"github.com\"],"
	"\"gitCredentials\":[{\"url\":\"https://h/acme\",\"username\":\"ada\",\"token\":\"t1\"},"
	"{\"url\":\"https://h/\",\"token\":\"t2\"}],"
	"\"gitCredentialCommand\":[\"/bin/ask\",\"get\"],"
	"\"limits\":{\"uploadExpandedBytes\":1,\"uploadRatio\":2,\"uploadEntries\":3,"
	"\"ignoreBytes\":4,\"ignoreRules\":5,\"dockerfileBytes\":6,\"gitBytes\":7,"
	"\"gitObjects\":8,\"gitObjectBytes\":9,\"gitEntries\":10,\"gitDepth\":11,"
	"\"gitStallMs\":12,\"gitTimeoutMs\":13,\"logBytes\":14,\"logLineBytes\":15,"
	"\"memoryBytes\":16,\"pids\":17,\"cpus\":1.5}}";

static json_t *parsed(const char *json)
{
	struct err err;
	json_t *object = NULL;
	assert_works(json_read(&object, str_from(json), NULL, &err));
	return object;
}

static void everything_comes_back_as_it_went(void **state)
{
	(void)state;
	struct err err;
	struct spec spec = { 0 };
	cleanup_json json_t *object = parsed(text);

	assert_works(spec_from_json(&spec, object, &err));
	assert_string_equal(spec.run_id, "ca1");
	assert_int_equal(spec.attempt, 2);
	assert_int_equal(spec.deadline_ms, 1700000000000);
	assert_string_equal(secret_reveal(&spec.build.context_token), "tok");
	assert_string_equal(secret_reveal(&spec.build.args[0].secret), "hush");
	assert_string_equal(secret_reveal(&spec.registries[0].password), "pw");
	assert_true(spec.registries[0].insecure);
	assert_string_equal(spec.engine.pull, "newer");
	assert_int_equal(spec.allow_addresses_len, 2);
	assert_int_equal(spec.allow_ports_len, 2);
	assert_int_equal(spec.allow_ports[1], 8443);
	assert_string_equal(spec.submodule_hosts.items[0], "github.com");
	assert_int_equal(spec.git_credentials_len, 2);
	assert_string_equal(spec.git_credentials[0].username, "ada");
	assert_null(spec.git_credentials[1].username);
	assert_string_equal(secret_reveal(&spec.git_credentials[1].token), "t2");
	assert_int_equal(spec.git_credential_command.len, 2);
	assert_int_equal(spec.limits.git_stall_ms, 12);
	assert_int_equal(spec.limits.pids, 17);
	assert_true(spec.limits.cpus > 1.4 && spec.limits.cpus < 1.6);

	cleanup_json json_t *again = spec_to_json(&spec);
	cleanup_free char *left = json_text(object), *right = json_text(again);
	if (!json_equal(object, again))
		fail_msg("%s\nbecame\n%s", left, right);
	spec_release(&spec);
}

static void another_version_is_refused(void **state)
{
	(void)state;
	struct err err;
	struct spec spec;
	cleanup_json json_t *object = parsed("{\"v\":2,\"runId\":\"ca1\",\"dataDir\":\"/d\"}");

	assert_fails(spec_from_json(&spec, object, &err), "spec_invalid");
	assert_has(err.msg, "version 2");
}

static void damaged_ones_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"v\":1}",
		"{\"v\":1,\"dataDir\":\"/d\",\"attempt\":1}",
		"{\"v\":1,\"dataDir\":7}",
		"{\"v\":1,\"dataDir\":\"/d\",\"attempt\":-1}",
		"{\"v\":1,\"dataDir\":\"/d\",\"registries\":[{}]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"registries\":{}}",
		"{\"v\":1,\"dataDir\":\"/d\",\"allowAddresses\":[\"nowhere\"]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"allowPorts\":[0]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"allowPorts\":[65536]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"allowPorts\":[\"80\"]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"allowPorts\":80}",
		"{\"v\":1,\"dataDir\":\"/d\",\"gitCredentials\":[{\"token\":\"t\"}]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"gitCredentials\":[7]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"gitCredentialCommand\":\"/bin/ask\"}",
		"{\"v\":1,\"dataDir\":\"/d\",\"submoduleHosts\":[7]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"engine\":[]}",
		"{\"v\":1,\"dataDir\":\"/d\",\"limits\":{\"pids\":-2}}",
		"{\"v\":1,\"dataDir\":\"/d\",\"build\":{\"dockerFilePath\":\"../x\"}}",
	};
	struct err err;
	struct spec spec;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup_json json_t *object = parsed(bad[i]);
		assert_fails(spec_from_json(&spec, object, &err), "spec_invalid");
	}
}

static void a_probe_needs_no_run(void **state)
{
	(void)state;
	struct err err;
	struct spec spec;
	cleanup_json json_t *object = parsed("{\"v\":1,\"dataDir\":\"/d\"}");

	assert_works(spec_from_json(&spec, object, &err));
	assert_null(spec.run_id);
	spec_release(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back_as_it_went),
		cmocka_unit_test(another_version_is_refused),
		cmocka_unit_test(damaged_ones_are_refused),
		cmocka_unit_test(a_probe_needs_no_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "model/task.h"

static json_t *parsed(const char *json)
{
	struct err err;
	json_t *object = NULL;
	assert_works(json_read(&object, str_from(json), NULL, &err));
	return object;
}

static int read_task(struct task *t, const char *json, struct err *err)
{
	cleanup_json json_t *object = parsed(json);
	*t = (struct task){ 0 };
	return task_from_json(t, object, "main", "web", err);
}

/* As ACR's client sends it, with its triggers off that are not part of this version. */
static const char resource[] =
	"{\"location\":\"local\",\"tags\":{\"team\":\"a\"},\"properties\":{\"status\":\"Enabled\","
	"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"},\"agentConfiguration\":{\"cpu\":4},"
	"\"timeout\":900,\"isSystemTask\":false,\"credentials\":{},"
	"\"step\":{\"type\":\"Docker\",\"contextPath\":\"https://h/x.git#main:app\","
	"\"contextAccessToken\":\"ctx-token\",\"imageNames\":[\"app:{{.Run.ID}}\"],"
	"\"isPushEnabled\":true,\"noCache\":false,\"dockerFilePath\":\"Dockerfile\","
	"\"arguments\":[{\"name\":\"S\",\"value\":\"hush\",\"isSecret\":true}]},"
	"\"trigger\":{\"timerTriggers\":[{\"name\":\"t1\",\"schedule\":\"0 21 * * *\",\"status\":\"Disabled\"}],"
	"\"sourceTriggers\":[{\"name\":\"defaultSourceTriggerName\",\"status\":\"Enabled\","
	"\"sourceTriggerEvents\":[\"commit\"],\"sourceRepository\":{"
	"\"sourceControlType\":\"VisualStudioTeamService\","
	"\"repositoryUrl\":\"https://H/x.git#main:app\",\"branch\":\"main\","
	"\"sourceControlAuthProperties\":{\"tokenType\":\"PAT\",\"token\":\"trigger-token\",\"scope\":\"repo\"}}}],"
	"\"baseImageTrigger\":{\"name\":\"b\",\"baseImageTriggerType\":\"All\",\"status\":\"Disabled\","
	"\"updateTriggerEndpoint\":\"https://x/?sig=endpoint-secret\"}}}}";

static void a_task_is_read(void **state)
{
	(void)state;
	struct err err;
	struct task t;

	assert_works(read_task(&t, resource, &err));
	assert_string_equal(t.name, "web");
	assert_string_equal(t.registry, "main");
	assert_true(t.enabled);
	assert_int_equal(t.step.timeout_s, 900);
	assert_string_equal(t.step.platform.architecture, "amd64");
	assert_int_equal(t.triggers_len, 1);
	assert_true(t.triggers[0].enabled && t.triggers[0].on_commit);
	assert_false(t.triggers[0].on_pull_request);
	assert_string_equal(t.triggers[0].repository, "h/x");
	assert_string_equal(t.triggers[0].repository_url, "https://H/x.git#main:app");
	assert_string_equal(t.triggers[0].branch, "main");
	assert_string_equal(secret_reveal(&t.triggers[0].token), "trigger-token");
	task_release(&t);
}

static void the_resource_shows_no_secret(void **state)
{
	(void)state;
	struct err err;
	struct task t;

	assert_works(read_task(&t, resource, &err));
	cleanup_json json_t *shown = task_to_json(&t, "/v1/registries/main", false);
	cleanup_free char *text = json_text(shown);
	static const char *const hidden[] = { "ctx-token", "trigger-token", "hush",
					      "endpoint-secret" };
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		assert_null(strstr(text, hidden[i]));
	assert_has(text, "\"id\":\"/v1/registries/main/tasks/web\"");
	assert_has(text, "Microsoft.ContainerRegistry/registries/tasks");
	assert_has(text, "\"timeout\":900");
	assert_has(text, "\"cpu\":4");
	assert_has(text, "\"baseImageTriggerType\":\"All\"");
	assert_has(text, "\"schedule\":\"0 21 * * *\"");
	task_release(&t);
}

static void details_show_secrets_in_clear(void **state)
{
	(void)state;
	struct err err;
	struct task t;

	assert_works(read_task(&t, resource, &err));
	cleanup_json json_t *shown = task_to_json(&t, "/v1/registries/main", true);
	cleanup_free char *text = json_text(shown);
	assert_has(text, "ctx-token");
	assert_has(text, "trigger-token");
	assert_has(text, "hush");
	task_release(&t);
}

static void a_stored_task_comes_back_whole(void **state)
{
	(void)state;
	struct err err;
	struct task t, again = { 0 };

	assert_works(read_task(&t, resource, &err));
	cleanup_json json_t *row = task_to_json(&t, "", false), *secrets = task_secrets_to_json(&t);
	assert_works(task_from_json(&again, row, "main", "web", &err));
	task_secrets_merge(&again, secrets);
	cleanup_json json_t *left = task_to_json(&t, "", true),
			    *right = task_to_json(&again, "", true);
	cleanup_free char *a = json_text(left), *b = json_text(right);
	if (!json_equal(left, right))
		fail_msg("%s\nbecame\n%s", a, b);
	task_release(&t);
	task_release(&again);
}

static void a_copy_shares_nothing(void **state)
{
	(void)state;
	struct err err;
	struct task t, copy = { 0 };

	assert_works(read_task(&t, resource, &err));
	t.created_ms = 5;
	task_copy(&copy, &t);
	task_copy(&copy, &t);
	cleanup_json json_t *left = task_to_json(&t, "", true);
	task_release(&t);
	cleanup_json json_t *right = task_to_json(&copy, "", true);
	assert_true(json_equal(left, right));
	task_release(&copy);
	task_release(NULL);
}

/* A task whose trigger object is this. */
static char *with_trigger(const char *trigger)
{
	return xasprintf("{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":%s}}",
			 trigger);
}

static void a_branch_that_is_not_said_comes_from_the_url(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "https://h/x.git#dev:app", "dev" },
		{ "https://h/x.git#dev", "dev" },
		{ "https://h/x.git#:app", "master" },
		{ "https://h/x.git", "master" },
		{ "https://h/x.git#refs/tags/v1", "refs/tags/v1" },
		{ "https://h/x.git#", "master" },
	};
	struct err err;
	struct task t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *trigger = xasprintf(
			"{\"sourceTriggers\":[{\"sourceRepository\":{\"repositoryUrl\":\"%s\"}}]}",
			rows[i][0]);
		cleanup_free char *json = with_trigger(trigger);
		assert_works(read_task(&t, json, &err));
		assert_string_equal(t.triggers[0].branch, rows[i][1]);
		assert_true(t.triggers[0].on_commit);
		task_release(&t);
	}
}

static void triggers_that_are_off_are_taken(void **state)
{
	(void)state;
	static const char *const triggers[] = {
		"{}",
		"null",
		"{\"timerTriggers\":[]}",
		"{\"timerTriggers\":[{\"name\":\"t\",\"schedule\":\"* * * * *\",\"status\":\"disabled\"}]}",
		"{\"baseImageTrigger\":{\"status\":\"Disabled\"}}",
		"{\"sourceTriggers\":[{\"status\":\"Disabled\",\"sourceTriggerEvents\":[],"
		"\"sourceRepository\":{\"repositoryUrl\":\"https://h/x.git\"}}]}",
		"{\"sourceTriggers\":[{\"status\":\"Disabled\",\"sourceTriggerEvents\":[\"pullrequest\"],"
		"\"sourceRepository\":{\"repositoryUrl\":\"https://h/x.git\"}}]}",
	};
	struct err err;
	struct task t;

	for (size_t i = 0; i < ARRAY_LEN(triggers); i++) {
		cleanup_free char *json = with_trigger(triggers[i]);
		assert_works(read_task(&t, json, &err));
		task_release(&t);
	}
}

#define REPO "\"sourceRepository\":{\"repositoryUrl\":\"https://h/x.git\"}"

static void what_this_version_does_not_have_is_refused_with_a_sentence(void **state)
{
	(void)state;
	static const struct {
		const char *json, *has;
	} rows[] = {
		{ "{\"properties\":{\"step\":{\"type\":\"FileTask\",\"taskFilePath\":\"a.yaml\"}}}",
		  "properties.step.type" },
		{ "{\"properties\":{\"step\":{\"type\":\"EncodedTask\"}}}",
		  "properties.step.type" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"agentPoolName\":\"p\"}}",
		  "agentPoolName" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"isSystemTask\":true}}",
		  "isSystemTask" },
		{ "{\"identity\":{\"type\":\"SystemAssigned\"},\"properties\":{\"step\":{\"type\":\"Docker\"}}}",
		  "identity" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"credentials\":{\"customRegistries\":{\"h\":{}}}}}",
		  "customRegistries" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"baseImageTrigger\":{}}}}",
		  "baseImageTrigger" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"timerTriggers\":[{\"name\":\"t\"}]}}}",
		  "timerTriggers" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{" REPO
		  "},{" REPO "}]}}}",
		  "sourceTriggers" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{"
		  "\"sourceTriggerEvents\":[\"commit\",\"pullrequest\"]," REPO "}]}}}",
		  "pullrequest" },
	};
	struct err err;
	struct task t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(read_task(&t, rows[i].json, &err), "not_available");
		assert_has(err.msg, rows[i].has);
	}
}

static void mistakes_name_the_field(void **state)
{
	(void)state;
	static const struct {
		const char *json, *word, *has;
	} rows[] = {
		{ "[]", "bad_request", "object" },
		{ "{}", "bad_request", "properties" },
		{ "{\"properties\":[]}", "bad_request", "properties" },
		{ "{\"properties\":{}}", "bad_request", "properties.step" },
		{ "{\"properties\":{\"step\":{}}}", "bad_request", "properties.step.type" },
		{ "{\"properties\":{\"step\":{\"type\":\"Odd\"}}}", "bad_request", "'Odd'" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\",\"imageNames\":[\"X\"]}}}",
		  "image_invalid", "properties.step.imageNames[0]" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"status\":\"on\"}}",
		  "bad_request", "properties.status" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"timeout\":-1}}", "bad_request",
		  "properties.timeout" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"platform\":{\"os\":\"x\"}}}",
		  "platform_invalid", "properties.platform.os" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"agentConfiguration\":{\"cpu\":\"2\"}}}",
		  "bad_request", "properties.agentConfiguration.cpu" },
		{ "{\"tags\":{\"a\":1},\"properties\":{\"step\":{\"type\":\"Docker\"}}}",
		  "bad_request", "tags.a" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{}]}}}",
		  "bad_request", "properties.trigger.sourceTriggers[0].sourceRepository" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{\"sourceRepository\":{}}]}}}",
		  "bad_request", "sourceRepository.repositoryUrl" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{\"sourceRepository\":{"
		  "\"repositoryUrl\":\"file:///etc\"}}]}}}",
		  "url_invalid", "sourceRepository.repositoryUrl" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[{"
		  "\"sourceTriggerEvents\":[\"tag\"]," REPO "}]}}}",
		  "bad_request", "sourceTriggerEvents" },
		{ "{\"properties\":{\"step\":{\"type\":\"Docker\"},\"trigger\":{\"sourceTriggers\":[7]}}}",
		  "bad_request", "sourceTriggers[0]" },
	};
	struct err err;
	struct task t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_fails(read_task(&t, rows[i].json, &err), rows[i].word);
		assert_has(err.msg, rows[i].has);
		assert_null(t.name);
	}
}

static void names_are_fifty_letters_digits_and_dashes(void **state)
{
	(void)state;
	struct err err;
	struct task t;
	cleanup_json json_t *object = parsed("{\"properties\":{\"step\":{\"type\":\"Docker\"}}}");

	assert_true(task_name_is_valid(STR("a")));
	assert_true(task_name_is_valid(STR("Web_api-2")));
	assert_true(task_name_is_valid(STR("12345678901234567890123456789012345678901234567890")));
	assert_false(
		task_name_is_valid(STR("123456789012345678901234567890123456789012345678901")));
	assert_false(task_name_is_valid(STR("")));
	assert_false(task_name_is_valid(STR("a b")));
	assert_false(task_name_is_valid(STR("a/b")));
	assert_false(task_name_is_valid(STR("\xc3\xb6")));
	assert_fails(task_from_json(&t, object, "main", "../x", &err), "bad_name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_is_read),
		cmocka_unit_test(the_resource_shows_no_secret),
		cmocka_unit_test(details_show_secrets_in_clear),
		cmocka_unit_test(a_stored_task_comes_back_whole),
		cmocka_unit_test(a_copy_shares_nothing),
		cmocka_unit_test(a_branch_that_is_not_said_comes_from_the_url),
		cmocka_unit_test(triggers_that_are_off_are_taken),
		cmocka_unit_test(what_this_version_does_not_have_is_refused_with_a_sentence),
		cmocka_unit_test(mistakes_name_the_field),
		cmocka_unit_test(names_are_fifty_letters_digits_and_dashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

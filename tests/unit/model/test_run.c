#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "model/run.h"

static void only_the_last_five_statuses_are_terminal(void **state)
{
	(void)state;
	static const char *const names[] = { "Queued", "Started",  "Running", "Succeeded",
					     "Failed", "Canceled", "Error",   "Timeout" };

	for (int i = 0; i < RUN_STATUSES; i++) {
		enum run_status back;
		assert_string_equal(run_status_name((enum run_status)i), names[i]);
		assert_int_equal(run_status_parse(&back, str_from(names[i])), 0);
		assert_int_equal(back, i);
		assert_int_equal(run_status_is_terminal((enum run_status)i), i >= 3);
	}
}

static void names_are_read_without_case_and_others_refused(void **state)
{
	(void)state;
	enum run_status status;
	enum run_type type;

	assert_int_equal(run_status_parse(&status, STR("CANCELED")), 0);
	assert_int_equal(status, RUN_CANCELED);
	assert_int_equal(run_status_parse(&status, STR("Cancelled")), -1);
	assert_int_equal(run_status_parse(&status, STR("")), -1);
	assert_int_equal(run_type_parse(&type, STR("autobuild")), 0);
	assert_int_equal(type, RUN_AUTO_BUILD);
	assert_int_equal(run_type_parse(&type, STR("Build")), -1);
	assert_string_equal(run_type_name(RUN_QUICK_BUILD), "QuickBuild");
}

static void ids_are_two_letters_and_a_counter_in_base_36(void **state)
{
	(void)state;
	char id[RUN_ID_BYTES];

	run_id_format(id, "ca", 1);
	assert_string_equal(id, "ca1");
	run_id_format(id, "ca", 35);
	assert_string_equal(id, "caz");
	run_id_format(id, "cb", 36);
	assert_string_equal(id, "cb10");
	run_id_format(id, "cb", 0);
	assert_string_equal(id, "cb0");
	run_id_format(id, "zz", INT64_MAX);
	assert_string_equal(id, "zz1y2p0ij32e8e7");
	assert_true(run_id_is_valid(str_from(id)));
}

static void every_registry_has_letters_of_its_own(void **state)
{
	(void)state;
	char letters[3], last[3] = "";

	run_id_letters(letters, 0);
	assert_string_equal(letters, "ca");
	run_id_letters(letters, 26);
	assert_string_equal(letters, "da");
	for (int i = 0; i < 600; i++) {
		run_id_letters(letters, i);
		assert_true(strcmp(last, letters) < 0);
		assert_true(letters[0] >= 'a' && letters[0] <= 'z');
		memcpy(last, letters, sizeof last);
	}
}

static void strange_ids_are_no_ids(void **state)
{
	(void)state;
	static const char *const no[] = { "",
					  "c",
					  "ca",
					  "1a1",
					  "ca-1",
					  "CA1",
					  "../x",
					  "c1a",
					  "ca1/..",
					  "ca1 ",
					  "ca01234567890123",
					  "ca\xc3\xb6" };

	assert_true(run_id_is_valid(STR("ca1")));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(run_id_is_valid(str_from(no[i])));
}

static void fill(struct run *r)
{
	*r = (struct run){
		.id = xstrdup("ca1"),
		.registry = xstrdup("main"),
		.status = RUN_FAILED,
		.type = RUN_AUTO_BUILD,
		.attempt = 2,
		.task = xstrdup("web"),
		.source = { .id = xstrdup("d1"),
			    .event_type = xstrdup("Commit"),
			    .commit_id = xstrdup("abc"),
			    .repository_url = xstrdup("https://h/x"),
			    .branch = xstrdup("main"),
			    .provider = xstrdup("Github") },
		.order_key = xstrdup("main/web/refs/heads/main"),
		.create_ms = 1000,
		.start_ms = 1250,
		.finish_ms = 9000,
		.updated_ms = 9000,
		.reason = xstrdup("push to main by octocat"),
		.error_code = xstrdup("build_failed"),
		.error_message = xstrdup("RUN false: exit 1"),
		.commit = xstrdup("abc"),
		.steps_len = 2,
		.images_len = 1,
	};
	r->steps = xcalloc(2, sizeof *r->steps);
	r->steps[0] = (struct run_step){ xstrdup("fetch"), RUN_SUCCEEDED, 1300, 1400 };
	r->steps[1] = (struct run_step){ xstrdup("build"), RUN_FAILED, 1400, 0 };
	r->images = xcalloc(1, sizeof *r->images);
	r->images[0] = (struct image){ xstrdup("h:1"), xstrdup("app"), xstrdup("ca1"),
				       xstrdup("sha256:00") };
}

static void the_resource_has_acrs_members_and_ours(void **state)
{
	(void)state;
	static const char *const parts[] = {
		"\"id\":\"/v1/registries/main/runs/ca1\"",
		"\"type\":\"Microsoft.ContainerRegistry/registries/runs\"",
		"\"runId\":\"ca1\"",
		"\"status\":\"Failed\"",
		"\"runType\":\"AutoBuild\"",
		"\"provisioningState\":\"Succeeded\"",
		"\"createTime\":\"1970-01-01T00:00:01.000Z\"",
		"\"finishTime\":\"1970-01-01T00:00:09.000Z\"",
		"\"task\":\"web\"",
		"\"attempt\":2",
		"\"platform\":{\"os\":\"linux\",\"architecture\":",
		"\"sourceTrigger\":{\"id\":\"d1\",\"eventType\":\"Commit\",\"commitId\":\"abc\",",
		"\"branchName\":\"main\",\"providerType\":\"Github\"}",
		"\"isArchiveEnabled\":false",
		"\"runErrorMessage\":\"RUN false: exit 1\"",
		"\"errorCode\":\"build_failed\"",
		"\"outputImages\":[{\"registry\":\"h:1\",\"repository\":\"app\",\"tag\":\"ca1\",\"digest\":\"sha256:00\"}]",
		"\"steps\":[{\"name\":\"fetch\",\"status\":\"Succeeded\",\"start\":\"1970-01-01T00:00:01.300Z\",",
		"\"timings\":{\"queued\":250,\"fetch\":100}",
	};
	struct run r;

	fill(&r);
	cleanup_json json_t *object = run_to_json(&r, "/v1/registries/main");
	cleanup_free char *text = json_text(object);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_has(text, parts[i]);
	assert_null(strstr(text, "supersededBy"));
	run_release(&r);
	assert_null(r.id);
	run_release(&r);
	run_release(NULL);
}

static void a_queued_manual_run_leaves_out_what_is_not_yet(void **state)
{
	(void)state;
	struct run r = { .id = (char[]){ "ca1" }, .create_ms = 1000, .type = RUN_QUICK_BUILD };
	cleanup_json json_t *p = run_properties_to_json(&r);
	cleanup_free char *text = json_text(p);

	assert_has(text, "\"status\":\"Queued\"");
	assert_has(text, "\"timings\":{}");
	assert_has(text, "\"outputImages\":[]");
	assert_null(strstr(text, "sourceTrigger"));
	assert_null(strstr(text, "\"task\""));
	assert_null(strstr(text, "startTime"));
	assert_null(strstr(text, "runErrorMessage"));
}

static void a_clock_that_was_set_back_gives_no_negative_time(void **state)
{
	(void)state;
	struct run r = { .id = (char[]){ "ca1" }, .create_ms = 5000, .start_ms = 4000 };
	cleanup_json json_t *p = run_properties_to_json(&r);
	cleanup_free char *text = json_text(p);

	assert_has(text, "\"queued\":0");
}

static void progress_goes_into_the_row_and_back(void **state)
{
	(void)state;
	struct run r, again = { 0 };

	fill(&r);
	cleanup_json json_t *row = run_progress_to_json(&r);
	assert_int_equal(run_progress_from_json(&again, row), 0);
	assert_int_equal(run_progress_from_json(&again, row), 0); /* over what was there */
	cleanup_json json_t *back = run_progress_to_json(&again);
	assert_true(json_equal(row, back));
	run_release(&r);
	run_release(&again);
}

static void a_damaged_row_changes_nothing(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"[]", "{\"steps\":7}", "{\"steps\":[{}]}",
		"{\"steps\":[{\"name\":\"a\",\"status\":\"Odd\"}]}",
		"{\"steps\":[{\"name\":\"a\",\"status\":\"Running\"}],\"images\":[{}]}"
	};
	struct err err;
	struct run r;

	fill(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *row = NULL;
		assert_works(json_read(&row, str_from(rows[i]), NULL, &err));
		assert_int_equal(run_progress_from_json(&r, row), -1);
		json_decref(row);
	}
	assert_int_equal(r.steps_len, 2);
	assert_int_equal(r.images_len, 1);
	run_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_last_five_statuses_are_terminal),
		cmocka_unit_test(names_are_read_without_case_and_others_refused),
		cmocka_unit_test(ids_are_two_letters_and_a_counter_in_base_36),
		cmocka_unit_test(every_registry_has_letters_of_its_own),
		cmocka_unit_test(strange_ids_are_no_ids),
		cmocka_unit_test(the_resource_has_acrs_members_and_ours),
		cmocka_unit_test(a_queued_manual_run_leaves_out_what_is_not_yet),
		cmocka_unit_test(a_clock_that_was_set_back_gives_no_negative_time),
		cmocka_unit_test(progress_goes_into_the_row_and_back),
		cmocka_unit_test(a_damaged_row_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/unit.h"

#include "cli/record_delivery.h"
#include "common/scope.h"

static char *shown(const char *json)
{
	cleanup_json json_t *delivery = json_loads(json, 0, NULL);
	struct buf out = BUF_INIT;

	assert_non_null(delivery);
	record_add_delivery(&out, delivery);
	return buf_detach(&out);
}

static void each_event_stands_before_its_verdicts(void **state)
{
	(void)state;
	cleanup_free char *text = shown(
		"{\"deliveryId\":\"d1\",\"webhook\":\"azure\",\"event\":\"git.push\","
		"\"events\":[{\"ref\":\"refs/heads/a\",\"before\":\"0123456789abcdef\","
		"\"after\":\"fedcba9876543210\",\"forced\":true},{\"ref\":\"refs/heads/b\"}],"
		"\"verdicts\":[{\"task\":\"web\",\"matched\":true,\"reason\":\"push to a\",\"runId\":\"ca1\"},"
		"{\"task\":\"api\",\"matched\":true,\"reason\":\"repeats run ca0\",\"runId\":\"ca0\"},"
		"{\"matched\":false,\"reason\":\"no task follows it\",\"event\":1}],\"runs\":[\"ca1\"]}");

	assert_string_equal(text,
			    "delivery       d1\n"
			    "webhook        azure\n"
			    "signature      valid\n"
			    "event          git.push\n"
			    "ref            refs/heads/a\n"
			    "commits        0123456789ab → fedcba987654\n"
			    "note           forced\n"
			    "verdicts       web              matched      push to a (run ca1)\n"
			    "               api              matched      repeats run ca0\n"
			    "ref            refs/heads/b\n"
			    "verdicts       no task follows it\n"
			    "runs           ca1\n");
}

static void a_pull_request_is_one_line(void **state)
{
	(void)state;
	cleanup_free char *text = shown(
		"{\"replayOf\":\"d0\",\"events\":[{\"after\":\"ab\",\"title\":\"tidy\",\"pullRequest\":{"
		"\"number\":7,\"action\":\"opened\",\"target\":\"refs/heads/main\",\"draft\":true,"
		"\"fork\":true}}]}");

	assert_string_equal(text,
			    "replay of      d0\n"
			    "commit         ab\n"
			    "pull request   7 opened: ? → refs/heads/main, a draft, from a fork\n"
			    "title          tidy\n");
}

static void a_simulation_tells_its_answer(void **state)
{
	(void)state;
	cleanup_free char *text =
		shown("{\"webhook\":\"github\",\"signature\":\"invalid: no\",\"status\":401,"
		      "\"problems\":[{\"code\":\"signature_mismatch\",\"message\":\"no\"},"
		      "{\"code\":\"bad_json\",\"message\":\"no JSON\"}],"
		      "\"known\":{\"deliveryId\":\"d0\",\"runs\":[\"ca1\",\"ca2\"]}}");

	assert_string_equal(
		text,
		"webhook        github\n"
		"signature      invalid: no\n"
		"known          it came before as delivery d0, which started ca1, ca2: sent again, it "
		"would start nothing\n"
		"problems       no JSON (bad_json)\n"
		"answer         401\n");
}

static void text_of_a_sender_cannot_drive_the_terminal(void **state)
{
	(void)state;
	cleanup_free char *text = shown(
		"{\"deliveryId\":\"d\\u001b[2J\",\"events\":[{\"ref\":\"\\u009b31m\","
		"\"before\":\"\\u001b\",\"title\":\"a\\nb\"}],"
		"\"verdicts\":[{\"task\":\"\\u0007\",\"reason\":\"\\u001bc\"}],\"runs\":[7]}");

	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_has(text, "title          a b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_stands_before_its_verdicts),
		cmocka_unit_test(a_pull_request_is_one_line),
		cmocka_unit_test(a_simulation_tells_its_answer),
		cmocka_unit_test(text_of_a_sender_cannot_drive_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

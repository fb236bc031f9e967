#include "tests/unit/unit.h"

#include "common/json.h"
#include "common/scope.h"
#include "model/delivery.h"

static void fill(struct delivery *d)
{
	*d = (struct delivery){ .webhook = xstrdup("github"),
				.delivery_id = xstrdup("d1"),
				.received_ms = 1000,
				.event = { .kind = EVENT_PUSH,
					   .name = xstrdup("push"),
					   .repository = xstrdup("github.com/acme/app"),
					   .ref = xstrdup("refs/heads/main"),
					   .after = xstrdup("abc") } };
	struct verdict *v = delivery_add_verdict(d);
	*v = (struct verdict){ .registry = xstrdup("main"),
			       .task = xstrdup("web"),
			       .matched = true,
			       .reason = xstrdup("push to main"),
			       .run_id = xstrdup("ca1") };
	delivery_add_verdict(d)->reason = xstrdup("and one about the whole");
	strvec_push(&d->runs, "ca1");
}

static void the_resource_leaves_out_what_the_event_has_not(void **state)
{
	(void)state;
	struct delivery d;

	fill(&d);
	cleanup_json json_t *object = delivery_to_json(&d);
	cleanup_free char *text = json_text(object);
	assert_string_equal(
		text,
		"{\"deliveryId\":\"d1\",\"webhook\":\"github\",\"event\":\"push\","
		"\"receivedTime\":\"1970-01-01T00:00:01.000Z\",\"repository\":\"github.com/acme/app\","
		"\"ref\":\"refs/heads/main\",\"after\":\"abc\","
		"\"events\":[{\"ref\":\"refs/heads/main\",\"after\":\"abc\"}],\"verdicts\":[{\"registry\":\"main\","
		"\"task\":\"web\",\"matched\":true,\"reason\":\"push to main\",\"runId\":\"ca1\"},"
		"{\"matched\":false,\"reason\":\"and one about the whole\"}],\"runs\":[\"ca1\"]}");
	delivery_release(&d);
	delivery_release(&d);
	delivery_release(NULL);
}

static void verdicts_go_into_the_row_and_back(void **state)
{
	(void)state;
	struct delivery d, again;

	fill(&d);
	fill(&again);
	cleanup_json json_t *row = delivery_verdicts_to_json(&d);
	assert_int_equal(delivery_verdicts_from_json(&again, row), 0);
	assert_int_equal(again.verdicts_len, 2);
	assert_string_equal(again.verdicts[0].run_id, "ca1");
	assert_null(again.verdicts[1].task);
	delivery_release(&d);
	delivery_release(&again);
}

/* As a row does it: columns for the first event, JSON for the rest. */
static void events_go_into_the_row_and_back(void **state)
{
	(void)state;
	struct delivery d, again;

	fill(&d);
	fill(&again);
	assert_null(delivery_events_to_json(&d)); /* the columns say it all */
	d.event.skip = true;
	d.event.title = xstrdup("typo [skip ci]");
	d.event.repository_id = xstrdup("azure-repos/4711");
	struct event *other = events_add(&d.more);
	event_copy(other, &d.event);
	free(other->ref);
	other->ref = xstrdup("refs/heads/next");

	cleanup_json json_t *row = delivery_events_to_json(&d);
	assert_int_equal(delivery_events_from_json(&again, row), 0);
	assert_true(again.event.skip);
	assert_string_equal(again.event.title, "typo [skip ci]");
	assert_string_equal(again.event.repository_id, "azure-repos/4711");
	assert_int_equal(again.more.len, 1);
	assert_string_equal(again.more.items[0].ref, "refs/heads/next");
	assert_string_equal(again.more.items[0].repository, "github.com/acme/app");
	assert_string_equal(again.more.items[0].repository_id, "azure-repos/4711");
	assert_string_equal(again.more.items[0].name, "push");
	delivery_release(&d);
	delivery_release(&again);
}

static void a_damaged_row_changes_nothing(void **state)
{
	(void)state;
	static const char *const rows[] = { "{}", "[7]", "[{\"task\":7}]",
					    "[{},{\"matched\":\"yes\"}]" };
	struct err err;
	struct delivery d;

	fill(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *row = NULL;
		assert_works(json_read(&row, str_from(rows[i]), NULL, &err));
		assert_int_equal(delivery_verdicts_from_json(&d, row), -1);
		json_decref(row);
	}
	assert_int_equal(d.verdicts_len, 2);
	assert_string_equal(d.verdicts[0].task, "web");
	delivery_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_resource_leaves_out_what_the_event_has_not),
		cmocka_unit_test(verdicts_go_into_the_row_and_back),
		cmocka_unit_test(events_go_into_the_row_and_back),
		cmocka_unit_test(a_damaged_row_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Server-sent events: framing of log bytes. */
#include "server/sse.h"
#include "tests/unit/unit.h"

static void assert_events(const char *bytes, uint64_t offset, const char *wanted)
{
	struct buf out = BUF_INIT;

	sse_write(&out, str_from(bytes), offset);
	assert_string_equal(out.ptr, wanted);
	buf_release(&out);
}

static void event_is_a_line_whose_id_is_the_offset_behind_it(void **state)
{
	(void)state;
	assert_events("one\ntwo\n", 0, "data: one\nid: 4\n\ndata: two\nid: 8\n\n");
	assert_events("three\n", 8, "data: three\nid: 14\n\n");
}

static void empty_line_is_an_event(void **state)
{
	(void)state;
	assert_events("\n", 5, "data: \nid: 6\n\n");
}

static void last_line_without_its_end_counts_its_bytes(void **state)
{
	(void)state;
	assert_events("tail", 10, "data: tail\nid: 14\n\n");
}

static void carriage_return_never_begins_a_field(void **state)
{
	(void)state;
	assert_events("10%\r20%\rid: 0\n", 0, "data: 10%\ndata: 20%\ndata: id: 0\nid: 14\n\n");
	assert_events("dos\r\n", 0, "data: dos\nid: 5\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_is_a_line_whose_id_is_the_offset_behind_it),
		cmocka_unit_test(empty_line_is_an_event),
		cmocka_unit_test(last_line_without_its_end_counts_its_bytes),
		cmocka_unit_test(carriage_return_never_begins_a_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

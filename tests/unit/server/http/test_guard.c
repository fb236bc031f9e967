/* The guard, the parser and the chunk reader, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those four. */
#include <cmocka.h>

#include "tests/lib/framing_table.h"
#include "tests/lib/http_trace.h"

static struct framing_table table;

static int load_table(void **state)
{
	(void)state;
	framing_table_load(&table, FIXTURES "/http-framing.tsv");
	return table.count > 100 ? 0 : -1;
}

static int release_table(void **state)
{
	(void)state;
	framing_table_release(&table);
	return 0;
}

static bool ends_with(const struct buf *text, const char *end)
{
	return str_ends(buf_str(text), end);
}

/* 404 is for the router to say: here such a head is as good as any. */
static bool wants_refusal(const struct framing_row *row)
{
	return row->status >= 400 && row->status != 404;
}

static void every_row_gets_its_verdict(void **state)
{
	int wrong = 0;
	(void)state;

	for (size_t i = 0; i < table.count; i++) {
		const struct framing_row *row = &table.rows[i];
		struct buf trace = BUF_INIT, wanted = BUF_INIT;
		http_trace(&trace, buf_str(&row->input), row->input.len, 1);
		if (wants_refusal(row))
			buf_addf(&wanted, "refused %d %s", row->status, row->code);
		else
			buf_adds(&wanted, "end\nmore");
		if (!ends_with(&trace, wanted.ptr)) {
			struct str got = buf_str(&trace);
			print_error("%s: wanted %s, got " STR_FMT "\n", row->id, wanted.ptr,
				    STR_ARG(str_after(got, got.len > 60 ? got.len - 60 : 0)));
			wrong++;
		}
		buf_release(&trace);
		buf_release(&wanted);
	}
	assert_int_equal(wrong, 0);
}

static void assert_same_when_cut(const struct framing_row *row, const struct buf *whole,
				 size_t first, size_t step)
{
	struct buf cut = BUF_INIT;

	http_trace(&cut, buf_str(&row->input), first, step);
	if (!str_eq(buf_str(&cut), buf_str(whole)))
		fail_msg("%s: another verdict when cut at %zu, then every %zu", row->id, first,
			 step);
	buf_release(&cut);
}

static void verdict_does_not_depend_on_where_the_bytes_are_cut(void **state)
{
	enum { SHORT = 1500 };
	(void)state;

	for (size_t i = 0; i < table.count; i++) {
		const struct framing_row *row = &table.rows[i];
		struct buf whole = BUF_INIT;
		http_trace(&whole, buf_str(&row->input), row->input.len, 1);
		assert_same_when_cut(row, &whole, 1, 7);
		assert_same_when_cut(row, &whole, 1000, 1000);
		if (row->input.len < 20 * SHORT)
			assert_same_when_cut(row, &whole, 1, 1);
		for (size_t at = 1; at < row->input.len && row->input.len <= SHORT; at++)
			assert_same_when_cut(row, &whole, at, row->input.len);
		buf_release(&whole);
	}
}

static void requests_in_a_row_are_told_apart(void **state)
{
	struct str stream = STR("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
				"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
				"2\r\nho\r\n0\r\n\r\n"
				"GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	struct buf trace = BUF_INIT;
	(void)state;

	http_trace(&trace, stream, stream.len, 1);

	assert_string_equal(trace.ptr, "head POST /a keep=1 chunked=0 length=2\n"
				       "Host=h\nContent-Length=2\nhi\nend\n"
				       "head POST /b keep=1 chunked=1 length=0\n"
				       "Host=h\nTransfer-Encoding=chunked\nho\nend\n"
				       "head GET /c keep=0 chunked=0 length=0\n"
				       "Host=h\nConnection=close\n\nend\nmore");
	buf_release(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_gets_its_verdict),
		cmocka_unit_test(verdict_does_not_depend_on_where_the_bytes_are_cut),
		cmocka_unit_test(requests_in_a_row_are_told_apart),
	};
	return cmocka_run_group_tests(tests, load_table, release_table);
}

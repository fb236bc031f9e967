/* Connections: framing on the wire, keep-alive, pipelining, and the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <sys/socket.h>

#include "tests/lib/framing_table.h"
#include "tests/unit/server/http/fixture.h"

#define GET "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

static bool nothing_open(struct fixture *f)
{
	return f->drained;
}

/* The stable word of an error answer, and the shape around it. */
static void assert_is_error(const char *id, const struct answer *a, const char *code)
{
	char start[128];

	snprintf(start, sizeof start, "{\"error\":{\"code\":\"%s\",\"message\":\"", code);
	if (!str_starts(buf_str(&a->body), start) ||
	    !str_ends(buf_str(&a->body), "\"details\":[]}}"))
		fail_msg("%s: " STR_FMT, id, STR_ARG(buf_str(&a->body)));
	assert_true(a->body.len < 4096);
	assert_true(answer_has(a, "Content-Type: application/json; charset=utf-8"));
	assert_true(answer_has(a, "X-Content-Type-Options: nosniff"));
	assert_true(answer_has(a, "Cache-Control: no-store"));
}

/* Send a row in pieces of `step` bytes, each read on its own, and check the answer. */
static void check_row(struct fixture *f, const struct framing_row *row, size_t step)
{
	struct str input = buf_str(&row->input);
	struct buf rest = BUF_INIT;
	struct answer a;
	int fd = client_open(f);

	for (size_t at = 0; at < input.len; at += step) {
		if (!client_send(f, fd, str_slice(input, at, at + step)))
			break; /* refused already */
	}
	do
		client_answer(f, fd, &rest, false, &a);
	while (a.status == 100 && (answer_release(&a), true));
	if (a.status != row->status)
		fail_msg("%s in pieces of %zu: wanted %d, got %d " STR_FMT, row->id, step,
			 row->status, a.status, STR_ARG(buf_str(&a.body)));
	if (row->code[0])
		assert_is_error(row->id, &a, row->code);
	if (a.status == 405)
		assert_true(answer_has(&a, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE"));
	/* Nothing that follows a refusal is read as a request. */
	if (row->code[0] && a.status != 404) {
		assert_true(answer_has(&a, "Connection: close"));
		client_read_to_end(f, fd, &rest);
		assert_int_equal(rest.len, 0);
	}
	close(fd);
	answer_release(&a);
	buf_release(&rest);
}

static void every_framing_row_gets_its_answer(void **state)
{
	struct framing_table table;
	struct fixture f;
	(void)state;

	framing_table_load(&table, FIXTURES "/http-framing.tsv");
	fixture_open(&f, NULL);
	for (size_t i = 0; i < table.count; i++) {
		check_row(&f, &table.rows[i], table.rows[i].input.len);
		check_row(&f, &table.rows[i], table.rows[i].input.len < 300 ? 1 : 997);
	}
	fixture_close(&f);
	framing_table_release(&table);
}

static void a_hundred_pipelined_requests_are_answered_in_order(void **state)
{
	struct buf requests = BUF_INIT, rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	for (int i = 0; i < 100; i++)
		buf_addf(&requests, "GET /healthz?id=%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	client_send(&f, fd, buf_str(&requests));
	for (int i = 0; i < 100; i++) {
		client_answer(&f, fd, &rest, false, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(atoi(a.body.ptr), i);
		answer_release(&a);
	}
	close(fd);
	buf_release(&requests);
	buf_release(&rest);
	fixture_close(&f);
}

static bool is_pending(struct fixture *f)
{
	return f->pending != NULL;
}

static void pipelined_request_waits_for_the_answer_before_it(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n" GET);
	fixture_until(&f, is_pending);
	fixture_for_ms(&f, 20);
	assert_int_equal(f.routed, 1);

	http_respond(f.pending, 200, "text/plain", STR("first"));
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "first");
	answer_release(&a);
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "ok");
	assert_int_equal(f.routed, 2);
	assert_int_equal(f.released, 1);
	assert_int_equal(f.aborted, 0);

	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

static void connection_is_kept_until_its_last_request(void **state)
{
	struct http_limits limits = { .requests_per_conn = 3 };
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, &limits);
	int fd = client_open(&f);
	for (int i = 1; i <= 3; i++) {
		client_say(&f, fd, GET);
		client_answer(&f, fd, &rest, false, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(answer_has(&a, "Connection: close"), i == 3);
		answer_release(&a);
	}
	assert_true(client_read_to_end(&f, fd, &rest));
	close(fd);
	buf_release(&rest);
	fixture_close(&f);
}

static void http_1_0_is_closed_unless_it_asks(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /healthz HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
	client_answer(&f, fd, &rest, false, &a);
	assert_true(answer_has(&a, "Connection: keep-alive"));
	answer_release(&a);
	client_say(&f, fd, "GET /healthz HTTP/1.0\r\nHost: a\r\n\r\n");
	client_answer(&f, fd, &rest, false, &a);
	assert_true(answer_has(&a, "Connection: close"));
	assert_true(client_read_to_end(&f, fd, &rest));
	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

static void client_that_shuts_its_side_gets_its_answers(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n" GET);
	shutdown(fd, SHUT_WR);
	fixture_until(&f, is_pending);
	fixture_for_ms(&f, 20);
	assert_int_equal(f.aborted, 0);
	http_respond(f.pending, 200, "text/plain", STR("first"));
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "first");
	answer_release(&a);
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "ok");
	assert_true(client_read_to_end(&f, fd, &rest));
	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

static void head_that_ends_early_is_told(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /healthz HTTP/1.1\r\nHo");
	shutdown(fd, SHUT_WR);
	client_answer(&f, fd, &rest, false, &a);
	assert_int_equal(a.status, 400);
	assert_is_error("early end", &a, "bad_request");
	assert_true(client_read_to_end(&f, fd, &rest));
	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

static bool has_aborted(struct fixture *f)
{
	return f->aborted > 0;
}

static void reset_connection(int fd)
{
	struct linger now = { .l_onoff = 1 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void handler_hears_once_that_its_client_is_gone(void **state)
{
	struct fixture f;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	fixture_until(&f, is_pending);
	reset_connection(fd);
	fixture_until(&f, has_aborted);
	fixture_for_ms(&f, 20);
	assert_int_equal(f.aborted, 1);
	assert_int_equal(f.released, 1);
	fixture_close(&f);
}

static void on_drained(void *app)
{
	((struct fixture *)app)->drained = true;
}

static void drain_finishes_what_was_begun(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int idle = client_open(&f), active = client_open(&f);
	client_say(&f, idle, GET);
	client_answer(&f, idle, &rest, false, &a);
	answer_release(&a);
	client_say(&f, active, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	fixture_until(&f, is_pending);

	http_server_drain(f.server, on_drained);
	assert_true(client_read_to_end(&f, idle, &rest));
	close(idle);
	assert_false(f.drained);
	assert_null(http_server_address(f.server));

	http_respond(f.pending, 200, "text/plain", STR("done"));
	client_answer(&f, active, &rest, false, &a);
	assert_string_equal(a.body.ptr, "done");
	assert_true(answer_has(&a, "Connection: close"));
	assert_true(client_read_to_end(&f, active, &rest));
	close(active);
	fixture_until(&f, nothing_open);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

static void drain_of_a_server_without_connections_is_told_later(void **state)
{
	struct fixture f;
	(void)state;

	fixture_open(&f, NULL);
	http_server_drain(f.server, on_drained);
	assert_false(f.drained);
	fixture_until(&f, nothing_open);
	fixture_close(&f);
}

static void close_ends_requests_in_work(void **state)
{
	struct fixture f;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	fixture_until(&f, is_pending);
	fixture_close(&f);
	assert_int_equal(f.aborted, 1);
	assert_int_equal(f.released, 1);
	close(fd);
}

static void path_query_and_origin_are_decoded(void **state)
{
	struct buf rest = BUF_INIT;
	struct fixture f;
	struct answer a;
	(void)state;

	fixture_open(&f, NULL);
	int fd = client_open(&f);
	client_say(&f, fd, "GET /path/a%2Fb/%2e%2E/%252e/?x=/y HTTP/1.1\r\nHost: a\r\n\r\n");
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "path\na/b\n..\n%2e\n\n");
	answer_release(&a);
	client_say(&f, fd,
		   "GET /healthz?a&%24ID=1&=&iD=x+y%2b%3D&id=2 HTTP/1.1\r\nHost: a\r\n\r\n");
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "x y+=");
	answer_release(&a);
	client_say(&f, fd, "GET /whoami HTTP/1.1\r\nhost:  ci.example:8080 \r\n\r\n");
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr,
			    "unix=0 uid=-1 pid=-1 tls=0 http://ci.example:8080 hosts=1");
	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_framing_row_gets_its_answer),
		cmocka_unit_test(a_hundred_pipelined_requests_are_answered_in_order),
		cmocka_unit_test(pipelined_request_waits_for_the_answer_before_it),
		cmocka_unit_test(connection_is_kept_until_its_last_request),
		cmocka_unit_test(http_1_0_is_closed_unless_it_asks),
		cmocka_unit_test(client_that_shuts_its_side_gets_its_answers),
		cmocka_unit_test(head_that_ends_early_is_told),
		cmocka_unit_test(handler_hears_once_that_its_client_is_gone),
		cmocka_unit_test(drain_finishes_what_was_begun),
		cmocka_unit_test(drain_of_a_server_without_connections_is_told_later),
		cmocka_unit_test(close_ends_requests_in_work),
		cmocka_unit_test(path_query_and_origin_are_decoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Deadlines, with short ones: a byte now and then holds nothing open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tests/unit/server/http/fixture.h"

static struct fixture f;
static struct buf rest;
static struct answer a;
static int fd;
static int64_t start;

static int setup(void **state)
{
	static const struct http_limits limits = { .head_timeout_ms = 300,
						   .body_timeout_ms = 450,
						   .idle_timeout_ms = 300 };
	(void)state;
	fixture_open(&f, &limits);
	fd = client_open(&f);
	start = clock_monotonic_ms();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	answer_release(&a);
	buf_release(&rest);
	fixture_close(&f);
	return 0;
}

static int64_t elapsed_ms(void)
{
	return clock_monotonic_ms() - start;
}

static bool has_answer(void)
{
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK) >= 0;
}

/* Send a byte every 10 ms until something comes back. */
static void drip(const char *bytes)
{
	for (size_t i = 0; !has_answer() && elapsed_ms() < 5000; i++) {
		client_send(&f, fd, (struct str){ bytes + i % strlen(bytes), 1 });
		fixture_for_ms(&f, 10);
	}
}

static void assert_timed_out(int64_t from_ms, int64_t to_ms)
{
	client_answer(&f, fd, &rest, false, &a);
	assert_int_equal(a.status, 408);
	assert_non_null(strstr(a.body.ptr, "\"code\":\"timeout\""));
	assert_true(answer_has(&a, "Connection: close"));
	assert_in_range(elapsed_ms(), from_ms, to_ms);
}

static void dripping_head_is_ended(void **state)
{
	(void)state;
	client_say(&f, fd, "GET /healthz HTTP/1.1\r\nX: ");
	drip("a");
	assert_timed_out(290, 2000);
}

static void silent_head_is_ended(void **state)
{
	(void)state;
	client_say(&f, fd, "G");
	assert_timed_out(290, 2000);
}

/* The head's time begins with its first byte, not with the request before it. */
static void each_head_has_its_own_time(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		client_say(&f, fd, "GET /healthz HTTP/1.1\r\n");
		fixture_for_ms(&f, 100);
		client_say(&f, fd, "Host: a\r\n\r\n");
		answer_release(&a);
		client_answer(&f, fd, &rest, false, &a);
		assert_int_equal(a.status, 200);
		fixture_for_ms(&f, 20);
	}
}

static void dripping_body_is_ended(void **state)
{
	(void)state;
	client_say(&f, fd, "POST /hooks/t HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	drip("x");
	assert_timed_out(440, 2000);
	assert_int_equal(f.aborted, 1);
	assert_int_equal(f.released, 1);
}

static void dripping_chunks_are_ended(void **state)
{
	(void)state;
	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	drip("1\r\nx\r\n");
	assert_timed_out(440, 2000);
	assert_int_equal(f.ended_incomplete, 1);
	assert_int_equal(f.released, 1);
}

/* Slower than its deadline, but never slower than 1 KiB a second. */
static void steady_body_may_take_longer(void **state)
{
	static char block[100];
	(void)state;

	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\n\r\n");
	for (int i = 0; i < 80; i++) {
		client_send(&f, fd, (struct str){ block, sizeof block });
		fixture_for_ms(&f, 10);
	}
	client_answer(&f, fd, &rest, false, &a);
	assert_int_equal(a.status, 200);
	assert_true(elapsed_ms() > 600);
}

static bool is_paused(struct fixture *fx)
{
	return fx->pending != NULL;
}

static void time_in_which_the_handler_does_not_read_is_not_the_clients(void **state)
{
	(void)state;
	f.pause_first = true;
	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
	fixture_until(&f, is_paused);
	fixture_for_ms(&f, 700);
	http_body_resume(f.pending);
	client_say(&f, fd, "cd");
	client_answer(&f, fd, &rest, false, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.ptr, "4");
}

static void connection_without_a_request_is_closed(void **state)
{
	(void)state;
	assert_true(client_read_to_end(&f, fd, &rest));
	assert_int_equal(rest.len, 0);
	assert_in_range(elapsed_ms(), 290, 2000);
}

static void idle_time_begins_with_the_last_answer(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		client_say(&f, fd, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
		answer_release(&a);
		client_answer(&f, fd, &rest, false, &a);
		assert_int_equal(a.status, 200);
		fixture_for_ms(&f, 100);
	}
	assert_true(client_read_to_end(&f, fd, &rest));
}

static bool is_pending(struct fixture *fx)
{
	return fx->pending != NULL;
}

static void handler_has_all_the_time_it_needs(void **state)
{
	(void)state;
	client_say(&f, fd, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	fixture_until(&f, is_pending);
	fixture_for_ms(&f, 700);
	http_respond(f.pending, 200, NULL, STR("late"));
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "late");
}

static void server_without_connections_has_no_timer(void **state)
{
	(void)state;
	client_read_to_end(&f, fd, &rest);
	fixture_for_ms(&f, 100);
	assert_int_equal(uv_backend_timeout(&f.loop), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(dripping_head_is_ended),
		TEST(silent_head_is_ended),
		TEST(each_head_has_its_own_time),
		TEST(dripping_body_is_ended),
		TEST(dripping_chunks_are_ended),
		TEST(steady_body_may_take_longer),
		TEST(time_in_which_the_handler_does_not_read_is_not_the_clients),
		TEST(connection_without_a_request_is_closed),
		TEST(idle_time_begins_with_the_last_answer),
		TEST(handler_has_all_the_time_it_needs),
		TEST(server_without_connections_has_no_timer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

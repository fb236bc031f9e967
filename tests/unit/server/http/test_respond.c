/* Answers: heads, errors, streams, and clients that do not read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <malloc.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tests/unit/server/http/fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct fixture f;
static struct buf rest;
static struct answer a;
static int fd;

/* Bytes allocated now; the sanitizer's allocator has a count of its own. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

static int setup_with(const struct http_limits *limits)
{
	fixture_open(&f, limits);
	fd = client_open(&f);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(NULL);
}

static int setup_short(void **state)
{
	(void)state;
	return setup_with(&(struct http_limits){ .write_timeout_ms = 200, .idle_timeout_ms = 300 });
}

static int setup_patient(void **state)
{
	(void)state;
	return setup_with(&(struct http_limits){ .write_timeout_ms = 600 });
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

static void ask(const char *request, bool head)
{
	client_say(&f, fd, request);
	answer_release(&a);
	client_answer(&f, fd, &rest, head, &a);
}

static void every_answer_has_its_headers(void **state)
{
	(void)state;
	ask(GET("/healthz"), false);
	assert_true(str_starts(buf_str(&a.head), "HTTP/1.1 200 OK\r\nDate: "));
	assert_true(answer_has(&a, "Content-Type: text/plain"));
	assert_true(answer_has(&a, "X-Content-Type-Options: nosniff"));
	assert_true(answer_has(&a, "Cache-Control: no-store"));
	assert_true(answer_has(&a, "Content-Length: 2"));
}

static void date_is_that_of_http(void **state)
{
	int day, year, hour, minute, second;
	char weekday[4], month[4];
	(void)state;

	ask(GET("/healthz"), false);
	assert_int_equal(sscanf(strstr(a.head.ptr, "Date: "), "Date: %3s, %d %3s %d %d:%d:%d GMT",
				weekday, &day, month, &year, &hour, &minute, &second),
			 7);
	assert_true(year >= 2024);
}

static void head_is_answered_without_a_body(void **state)
{
	(void)state;
	ask("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", true);
	assert_true(answer_has(&a, "Content-Length: 2"));
	ask("HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n", true);
	assert_int_equal(a.status, 404);
	f.to_produce = 65536;
	ask("HEAD /produce HTTP/1.1\r\nHost: a\r\n\r\n", true);
	assert_true(answer_has(&a, "Content-Length: 65536"));
	ask(GET("/healthz"), false);
	assert_string_equal(a.body.ptr, "ok");
}

static void error_quotes_little_and_escapes_it(void **state)
{
	struct buf request = BUF_INIT;
	(void)state;

	ask(GET("/failing?say=%1b%5B2J%22%5C%7f%c2%9b%ff%c3%a9"), false);
	assert_string_equal(
		a.body.ptr,
		"{\"error\":{\"code\":\"bad_query\",\"message\":\"No: "
		"'\\u001b[2J\\\"\\\\\\u007f\\u009b\\ufffd\xc3\xa9'.\",\"target\":\"say\","
		"\"details\":[]}}");

	buf_adds(&request, "GET /failing?say=");
	for (int i = 0; i < 5000; i++)
		buf_adds(&request, "x");
	buf_adds(&request, " HTTP/1.1\r\nHost: a\r\n\r\n");
	ask(request.ptr, false);
	assert_true(a.body.len < 300);
	buf_release(&request);
}

static void unavailable_says_when_to_come_back(void **state)
{
	(void)state;
	ask(GET("/busy"), false);
	assert_int_equal(a.status, 503);
	assert_true(answer_has(&a, "Retry-After: 5"));
	assert_string_equal(a.body.ptr,
			    "{\"error\":{\"code\":\"storage\",\"message\":\"The disk is "
			    "full.\",\"details\":[]}}");
}

static void header_value_cannot_begin_another_header(void **state)
{
	(void)state;
	ask(GET("/busy"), false);
	assert_true(answer_has(&a, "X-Test: a??X-Evil: b"));
}

static bool is_pending(struct fixture *fx)
{
	return fx->pending != NULL;
}

static void follower_gets_pieces_as_they_come(void **state)
{
	(void)state;
	client_say(&f, fd, GET("/follow"));
	fixture_until(&f, is_pending);
	assert_true(http_stream_write(f.pending, STR("one ")));
	fixture_for_ms(&f, 30);
	assert_true(http_stream_write(f.pending, STR("")));
	assert_true(http_stream_write(f.pending, STR("two")));
	http_stream_end(f.pending);
	client_answer(&f, fd, &rest, false, &a);
	assert_true(answer_has(&a, "Transfer-Encoding: chunked"));
	assert_true(a.complete);
	assert_string_equal(a.body.ptr, "one two");
	ask(GET("/healthz"), false);
	assert_string_equal(a.body.ptr, "ok");
	assert_int_equal(f.released, 1);
}

static void follower_of_http_1_0_gets_plain_bytes(void **state)
{
	(void)state;
	client_say(&f, fd, "GET /follow HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
	fixture_until(&f, is_pending);
	http_stream_write(f.pending, STR("one "));
	http_stream_write(f.pending, STR("two"));
	http_stream_end(f.pending);
	client_answer(&f, fd, &rest, false, &a);
	assert_true(answer_has(&a, "Connection: close"));
	assert_int_equal(rest.len, 7);
	assert_memory_equal(rest.ptr, "one two", 7);
}

static bool has_aborted(struct fixture *fx)
{
	return fx->aborted > 0;
}

static void follower_that_resets_is_noticed_when_written_to_or_before(void **state)
{
	struct linger now = { .l_onoff = 1 };
	(void)state;

	client_say(&f, fd, GET("/follow"));
	fixture_until(&f, is_pending);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
	fixture_until(&f, has_aborted);
	assert_int_equal(f.released, 1);
	fd = client_open(&f);
}

/* A closed client looks like one that has only shut its side, until it is written to. */
static void follower_that_left_is_noticed(void **state)
{
	int64_t start = clock_monotonic_ms();
	(void)state;

	client_say(&f, fd, GET("/follow"));
	fixture_until(&f, is_pending);
	fixture_for_ms(&f, 10);
	client_answer(&f, fd, &rest, true, &a);
	close(fd);
	fixture_until(&f, has_aborted);
	assert_in_range(clock_monotonic_ms() - start, 90, 3000);
	fd = client_open(&f);
}

static void long_answer_goes_at_the_pace_of_its_client(void **state)
{
	size_t before = allocated();
	(void)state;

	f.to_produce = 64 << 20;
	client_say(&f, fd, GET("/produce"));
	fixture_for_ms(&f, 50);
	uint64_t produced = f.produced;
	fixture_for_ms(&f, 50);
	/* The kernel's buffers are full and so are ours: nothing moves, and ours are small. */
	assert_true(f.produced < f.to_produce);
	assert_int_equal(f.produced, produced);
	assert_in_range(allocated() - before, 0, 64 << 10);

	client_answer(&f, fd, &rest, false, &a);
	assert_true(a.complete);
	assert_int_equal(a.body.len, 64 << 20);
	assert_int_equal(f.released, 1);
}

static void client_that_does_not_read_is_closed(void **state)
{
	int64_t start = clock_monotonic_ms();
	(void)state;

	f.to_produce = 64 << 20;
	client_say(&f, fd, GET("/produce"));
	fixture_until(&f, has_aborted);
	assert_in_range(clock_monotonic_ms() - start, 190, 3000);
	assert_int_equal(f.released, 1);
}

/* Takes longer than the deadline, but takes something all the time. */
static void client_that_reads_slowly_is_served(void **state)
{
	static char block[256 << 10];
	int64_t start = clock_monotonic_ms();
	(void)state;

	f.to_produce = 64 << 20;
	client_say(&f, fd, GET("/produce"));
	while (clock_monotonic_ms() - start < 1000) {
		recv(fd, block, sizeof block, 0);
		fixture_for_ms(&f, 10);
	}
	assert_int_equal(f.aborted, 0);
	assert_true(f.produced < f.to_produce);
}

static void silent_follower_has_no_deadline(void **state)
{
	(void)state;
	client_say(&f, fd, GET("/follow"));
	fixture_until(&f, is_pending);
	fixture_for_ms(&f, 400);
	assert_int_equal(f.aborted, 0);
	http_stream_end(f.pending);
	client_answer(&f, fd, &rest, false, &a);
	assert_true(a.complete);
}

static void stream_that_ends_short_closes_the_connection(void **state)
{
	(void)state;
	client_say(&f, fd, GET("/later"));
	fixture_until(&f, is_pending);
	http_stream_begin_length(f.pending, 200, NULL, 10, NULL);
	http_stream_write(f.pending, STR("abc"));
	http_stream_end(f.pending);
	client_answer(&f, fd, &rest, false, &a);
	assert_false(a.complete);
}

static void stream_never_sends_more_than_its_length(void **state)
{
	(void)state;
	client_say(&f, fd, GET("/later"));
	fixture_until(&f, is_pending);
	http_stream_begin_length(f.pending, 206, NULL, 3, NULL);
	http_stream_write(f.pending, STR("ab"));
	http_stream_write(f.pending, STR("cdef"));
	http_stream_end(f.pending);
	client_answer(&f, fd, &rest, false, &a);
	assert_string_equal(a.body.ptr, "abc");
	ask(GET("/healthz"), false);
	assert_string_equal(a.body.ptr, "ok");
}

static void idle_followers_are_cheap(void **state)
{
	enum { FOLLOWERS = 200 };
	int clients[FOLLOWERS];
	(void)state;

	size_t before = allocated();
	for (int i = 0; i < FOLLOWERS; i++) {
		f.pending = NULL;
		clients[i] = client_open(&f);
		client_say(
			&f, clients[i],
			"GET /follow HTTP/1.1\r\nHost: ci.example.org\r\nAccept: */*\r\n"
			"User-Agent: curl/7.88.1\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n");
		fixture_until(&f, is_pending);
		http_stream_write(f.pending, STR("a line of a log\n"));
	}
	size_t each = (allocated() - before) / FOLLOWERS;
	assert_in_range(each, 1, 4096);
	for (int i = 0; i < FOLLOWERS; i++)
		close(clients[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_answer_has_its_headers),
		TEST(date_is_that_of_http),
		TEST(head_is_answered_without_a_body),
		TEST(error_quotes_little_and_escapes_it),
		TEST(unavailable_says_when_to_come_back),
		TEST(header_value_cannot_begin_another_header),
		TEST(follower_gets_pieces_as_they_come),
		TEST(follower_of_http_1_0_gets_plain_bytes),
		TEST(follower_that_resets_is_noticed_when_written_to_or_before),
		TEST(long_answer_goes_at_the_pace_of_its_client),
		TEST(stream_that_ends_short_closes_the_connection),
		TEST(stream_never_sends_more_than_its_length),
		TEST(idle_followers_are_cheap),
		cmocka_unit_test_setup_teardown(follower_that_left_is_noticed, setup_short,
						teardown),
		cmocka_unit_test_setup_teardown(client_that_does_not_read_is_closed, setup_short,
						teardown),
		cmocka_unit_test_setup_teardown(client_that_reads_slowly_is_served, setup_patient,
						teardown),
		cmocka_unit_test_setup_teardown(silent_follower_has_no_deadline, setup_short,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

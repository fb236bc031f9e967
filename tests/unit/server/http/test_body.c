/* Bodies of requests: collected, streamed, refused, dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "tests/unit/server/http/fixture.h"

#define POST(path, headers) "POST " path " HTTP/1.1\r\nHost: a\r\n" headers "\r\n"

static struct fixture f;
static struct buf rest;
static struct answer a;
static int fd;

static int setup(void **state)
{
	(void)state;
	fixture_open(&f, NULL);
	fd = client_open(&f);
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

static void answer(void)
{
	answer_release(&a);
	client_answer(&f, fd, &rest, false, &a);
}

static void assert_refused(int status, const char *code)
{
	char wanted[64];

	answer();
	snprintf(wanted, sizeof wanted, "\"code\":\"%s\"", code);
	assert_int_equal(a.status, status);
	assert_non_null(strstr(a.body.ptr, wanted));
	assert_true(client_read_to_end(&f, fd, &rest));
}

static void collected_body_comes_back(void **state)
{
	struct buf request = BUF_INIT;
	(void)state;

	buf_adds(&request, POST("/hooks/t", "Content-Length: 300000\r\n"));
	for (int i = 0; i < 30000; i++)
		buf_addf(&request, "%09d\n", i);
	client_send(&f, fd, buf_str(&request));
	answer();
	assert_int_equal(a.body.len, 300000);
	assert_memory_equal(a.body.ptr, request.ptr + request.len - 300000, 300000);
	assert_int_equal(f.released, 1);
	assert_int_equal(f.aborted, 0);
	buf_release(&request);
}

static void client_that_waits_is_asked_to_continue(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/hooks/t", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
	answer();
	assert_int_equal(a.status, 100);
	client_say(&f, fd, "abc");
	answer();
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.ptr, "abc");
	assert_false(answer_has(&a, "Connection: close"));
}

static void client_that_waits_is_refused_before_it_sends(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/small", "Expect: 100-continue\r\nContent-Length: 11\r\n"));
	assert_refused(413, "too_large");
	assert_true(answer_has(&a, "Connection: close"));
	assert_int_equal(f.aborted, 1);
	assert_int_equal(f.released, 1);
}

/* It may send its body now or not: nothing behind the answer can be understood. */
static void client_that_waits_and_is_answered_is_closed(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/unread", "Expect: 100-continue\r\nContent-Length: 3\r\n"));
	answer();
	assert_string_equal(a.body.ptr, "not read");
	assert_true(answer_has(&a, "Connection: close"));
	assert_true(client_read_to_end(&f, fd, &rest));
}

static void length_over_the_limit_is_refused_at_once(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/small", "Content-Length: 1000000000\r\n"));
	assert_refused(413, "too_large");
	assert_non_null(strstr(a.body.ptr, "larger than the 10 bytes"));
}

static void body_of_the_limit_is_taken(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/small", "Content-Length: 10\r\n") "0123456789");
	answer();
	assert_int_equal(a.status, 200);
}

static void chunks_over_the_limit_are_refused_when_they_pass_it(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/small", "Transfer-Encoding: chunked\r\n") "9\r\n123456789\r\n");
	fixture_for_ms(&f, 10);
	client_say(&f, fd, "2\r\nab\r\n");
	assert_refused(413, "too_large");
	assert_int_equal(f.released, 1);
}

/* The client goes on sending without looking; it must still get to see why it was refused. */
static void endless_chunks_end_in_an_answer(void **state)
{
	static char chunk[65536 + 9];
	(void)state;

	int n = snprintf(chunk, sizeof chunk, "10000\r\n");
	memset(chunk + n, 'x', 65536);
	memcpy(chunk + n + 65536, "\r\n", 2);
	client_say(&f, fd, POST("/hooks/t", "Transfer-Encoding: chunked\r\n"));
	for (int i = 0; i < 64; i++)
		assert_true(client_send(&f, fd, (struct str){ chunk, 65536 + 9 }));
	assert_refused(413, "too_large"); /* and then an orderly end, no reset */
}

static bool upload_is_paused(struct fixture *fx)
{
	return fx->pending != NULL;
}

static void chunked_upload_streams_and_can_be_paused(void **state)
{
	struct buf body = BUF_INIT;
	size_t sent = 0;
	ssize_t n;
	(void)state;

	f.pause_first = true;
	for (int i = 0; i < 400; i++) {
		buf_adds(&body, "8000\r\n");
		for (int j = 0; j < 4096; j++)
			buf_addf(&body, "%07d\n", i * 4096 + j);
		buf_adds(&body, "\r\n");
	}
	buf_adds(&body, "0\r\n\r\n");
	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	client_say(&f, fd, "1\r\nx\r\n");
	fixture_until(&f, upload_is_paused);

	/* Paused: the client fills the sockets' buffers and can send no more. */
	for (int quiet = 0; quiet < 10; quiet++) {
		while ((n = send(fd, body.ptr + sent, body.len - sent, MSG_NOSIGNAL)) > 0) {
			sent += (size_t)n;
			quiet = 0;
		}
		fixture_turn(&f, fd, POLLOUT);
	}
	assert_true(sent < body.len);
	assert_int_equal(f.uploaded.len, 1);

	http_body_resume(f.pending);
	client_send(&f, fd, str_after(buf_str(&body), sent));
	answer();
	assert_int_equal(a.status, 200);
	assert_int_equal(atoi(a.body.ptr), 1 + 400 * 32768);
	assert_string_equal(f.uploaded.ptr + 1 + 400 * 32768 - 8, "1638399\n");
	assert_int_equal(f.ended, 1);
	assert_int_equal(f.ended_incomplete, 0);
	assert_int_equal(f.released, 1);
	buf_release(&body);
}

static bool has_released(struct fixture *fx)
{
	return fx->released > 0;
}

static void broken_upload_is_told_to_its_handler(void **state)
{
	(void)state;
	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	shutdown(fd, SHUT_WR);
	assert_refused(400, "bad_framing");
	assert_int_equal(f.ended_incomplete, 1);
	assert_int_equal(f.aborted, 1);
	assert_int_equal(f.released, 1);
}

static void reset_upload_is_told_to_its_handler(void **state)
{
	struct linger now = { .l_onoff = 1 };
	(void)state;

	client_say(&f, fd, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
	fixture_until(&f, has_released);
	assert_int_equal(f.ended_incomplete, 1);
	assert_int_equal(f.aborted, 1);
	fd = client_open(&f);
}

static void short_unread_body_is_dropped_and_the_connection_kept(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/unread", "Content-Length: 20\r\n") "GET /healthz");
	answer();
	assert_string_equal(a.body.ptr, "not read");
	assert_false(answer_has(&a, "Connection: close"));
	client_say(&f, fd, " HTTP/1\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
	answer();
	assert_string_equal(a.body.ptr, "ok");
	assert_int_equal(f.routed, 2);
}

static void long_unread_body_closes_the_connection(void **state)
{
	(void)state;
	client_say(&f, fd, POST("/unread", "Content-Length: 100000\r\n"));
	answer();
	assert_string_equal(a.body.ptr, "not read");
	assert_true(answer_has(&a, "Connection: close"));
	assert_true(client_read_to_end(&f, fd, &rest));
}

static void unread_chunks_close_the_connection(void **state)
{
	(void)state;
	client_say(
		&f, fd,
		POST("/unread",
		     "Transfer-Encoding: chunked\r\n") "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
	answer();
	assert_true(answer_has(&a, "Connection: close"));
	assert_true(client_read_to_end(&f, fd, &rest));
	assert_int_equal(f.routed, 1);
	assert_int_equal(rest.len, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(collected_body_comes_back),
		TEST(client_that_waits_is_asked_to_continue),
		TEST(client_that_waits_is_refused_before_it_sends),
		TEST(client_that_waits_and_is_answered_is_closed),
		TEST(length_over_the_limit_is_refused_at_once),
		TEST(body_of_the_limit_is_taken),
		TEST(chunks_over_the_limit_are_refused_when_they_pass_it),
		TEST(endless_chunks_end_in_an_answer),
		TEST(chunked_upload_streams_and_can_be_paused),
		TEST(broken_upload_is_told_to_its_handler),
		TEST(reset_upload_is_told_to_its_handler),
		TEST(short_unread_body_is_dropped_and_the_connection_kept),
		TEST(long_unread_body_closes_the_connection),
		TEST(unread_chunks_close_the_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

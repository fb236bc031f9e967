/* Listeners: addresses, Unix sockets and who is behind them, and accepting when it is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/clock.h"
#include "tests/unit/server/http/fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct fixture f;
static struct buf rest;
static struct answer a;
static struct err err;
static char path[100];

static int setup_with(const struct http_limits *limits)
{
	fixture_open(&f, limits);
	snprintf(path, sizeof path, "%s/sock", f.dir);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(NULL);
}

static int setup_three_connections(void **state)
{
	(void)state;
	return setup_with(&(struct http_limits){ .conns = 3 });
}

static int teardown(void **state)
{
	(void)state;
	answer_release(&a);
	buf_release(&rest);
	http_server_drain(f.server, NULL); /* removes the socket file */
	unlink(path);
	fixture_close(&f);
	return 0;
}

static void ask(int fd, const char *request)
{
	client_say(&f, fd, request);
	answer_release(&a);
	client_answer(&f, fd, &rest, false, &a);
}

static void unix_socket_says_who_is_there(void **state)
{
	char wanted[128];
	struct stat st;
	(void)state;

	assert_int_equal(http_listen_unix(f.server, path, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	int fd = client_open_unix(&f, path);
	ask(fd, GET("/whoami"));
	snprintf(wanted, sizeof wanted, "unix=1 uid=%d pid=%d tls=0 http://a hosts=1",
		 (int)getuid(), (int)getpid());
	assert_string_equal(a.body.ptr, wanted);
	close(fd);
}

/* A socket at `path`: its descriptor. Not listening, it is what a killed server leaves: -1. */
static int bind_path(bool listening)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	if (listening)
		listen(fd, 1);
	else
		close(fd);
	return listening ? fd : -1;
}

static void stale_socket_file_is_replaced(void **state)
{
	(void)state;
	bind_path(false);
	assert_int_equal(http_listen_unix(f.server, path, &err), 0);
	int fd = client_open_unix(&f, path);
	ask(fd, GET("/healthz"));
	assert_int_equal(a.status, 200);
	close(fd);
}

static void socket_of_a_living_process_is_not_taken(void **state)
{
	int other = bind_path(true);
	(void)state;
	assert_int_equal(http_listen_unix(f.server, path, &err), -1);
	assert_string_equal(err.word, "config_listen");
	close(other);
}

static void file_that_is_no_socket_is_not_replaced(void **state)
{
	struct stat st;
	(void)state;

	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(http_listen_unix(f.server, path, &err), -1);
	assert_string_equal(err.word, "config_listen");
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void path_of_a_socket_has_a_longest(void **state)
{
	char longer[200] = "/tmp/";
	(void)state;

	memset(longer + 5, 'x', sizeof longer - 6);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(http_listen_unix(f.server, longer, &err), -1);
	assert_string_equal(err.word, "config_listen");
}

static void draining_removes_the_socket_file(void **state)
{
	struct stat st;
	(void)state;

	http_listen_unix(f.server, path, &err);
	http_server_drain(f.server, NULL);
	assert_int_equal(stat(path, &st), -1);
}

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   "127.0.0.1",
					   ":8080",
					   "127.0.0.1:",
					   "127.0.0.1:65536",
					   "127.0.0.1:http",
					   "300.1.1.1:0",
					   "192.0.2.1:0" };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err = (struct err){ 0 };
		assert_int_equal(http_listen_tcp(f.server, bad[i], NULL, NULL, &err), -1);
		assert_string_equal(err.word, "config_listen");
	}
	assert_int_equal(http_listen_tcp(f.server, http_server_address(f.server), NULL, NULL, &err),
			 -1);
	assert_string_equal(err.word, "config_listen");
}

static void inherited_socket_is_listened_on(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)state;

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	bind(fd, (struct sockaddr *)&to, sizeof to);
	assert_int_equal(http_listen_fd(f.server, fd, &err), -1); /* it does not listen */

	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(fd, (struct sockaddr *)&to, sizeof to);
	listen(fd, 1);
	assert_int_equal(http_listen_fd(f.server, fd, &err), 0);
	int client = client_open_unix(&f, path);
	ask(client, GET("/healthz"));
	assert_int_equal(a.status, 200);
	close(client);
}

static bool is_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	return poll(&p, 1, 0) > 0;
}

static void connections_over_the_cap_wait_for_their_turn(void **state)
{
	int clients[4], door;
	(void)state;

	http_listen_unix(f.server, path, &err);
	for (int i = 0; i < 4; i++) {
		clients[i] = client_open(&f);
		client_say(&f, clients[i], GET("/healthz"));
	}
	fixture_for_ms(&f, 50);
	assert_true(is_readable(clients[2]));
	assert_false(is_readable(clients[3]));

	/* The administrator's door is still open. */
	door = client_open_unix(&f, path);
	ask(door, GET("/healthz"));
	assert_int_equal(a.status, 200);
	close(door);

	close(clients[0]);
	answer_release(&a);
	client_answer(&f, clients[3], &rest, false, &a);
	assert_int_equal(a.status, 200);
	for (int i = 1; i < 4; i++)
		close(clients[i]);
}

static int count_readable(const int *fds, int n)
{
	int count = 0;
	for (int i = 0; i < n; i++)
		count += is_readable(fds[i]);
	return count;
}

static int64_t cpu_ms(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Allow `n` more descriptors than are open. */
static struct rlimit limit_descriptors(int n)
{
	struct rlimit before, now;
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = (rlim_t)(lowest + n);
	setrlimit(RLIMIT_NOFILE, &now);
	return before;
}

static void without_descriptors_accepting_rests_and_recovers(void **state)
{
	enum { CLIENTS = 6 };
	int clients[CLIENTS], refused = 0;
	(void)state;

	/* The loop's own descriptors come with its first connection. */
	int first = client_open(&f);
	ask(first, GET("/healthz"));

	/* Six for the clients, three for the server's ends. */
	struct rlimit before = limit_descriptors(CLIENTS + 3);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_open(&f);
	for (int i = 0; i < CLIENTS; i++)
		client_say(&f, clients[i], GET("/healthz"));
	int64_t cpu = cpu_ms();

	/* One is turned away, then accepting rests for a while. */
	fixture_for_ms(&f, 30);
	assert_in_range(count_readable(clients, CLIENTS), 3, 4);
	fixture_for_ms(&f, 1000);
	assert_true(cpu_ms() - cpu < 200);

	/* Three are served; the others were told, one by one, and not left hanging. */
	for (int i = 0; i < CLIENTS; i++) {
		buf_clear(&rest);
		answer_release(&a);
		client_answer(&f, clients[i], &rest, false, &a);
		refused += a.status == 503 && strstr(a.body.ptr, "\"code\":\"overloaded\"");
		if (a.status == 503)
			assert_true(a.complete);
		else
			assert_int_equal(a.status, 200);
	}
	assert_int_equal(refused, CLIENTS - 3);
	setrlimit(RLIMIT_NOFILE, &before);
	int fd = client_open(&f);
	int64_t start = clock_monotonic_ms();
	buf_clear(&rest);
	ask(fd, GET("/healthz"));
	assert_int_equal(a.status, 200);
	assert_true(clock_monotonic_ms() - start < 1000);
	close(fd);
	close(first);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

static bool has_no_timer(struct fixture *fx)
{
	return uv_backend_timeout(&fx->loop) == -1;
}

static void resets_leave_nothing_behind(void **state)
{
	struct linger now = { .l_onoff = 1 };
	int before, after;
	(void)state;

	fixture_turn(&f, -1, 0);
	close(before = open("/dev/null", O_RDONLY | O_CLOEXEC));
	for (int i = 0; i < 500; i++) {
		int fd = client_open(&f);
		if (i % 2)
			send(fd, GET("/later"), strlen(GET("/later")), MSG_NOSIGNAL);
		if (i % 3)
			fixture_turn(&f, -1, 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close(fd);
	}
	fixture_until(&f, has_no_timer);
	close(after = open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_int_equal(after, before);
	assert_int_equal(f.aborted, f.released);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unix_socket_says_who_is_there),
		TEST(stale_socket_file_is_replaced),
		TEST(socket_of_a_living_process_is_not_taken),
		TEST(file_that_is_no_socket_is_not_replaced),
		TEST(path_of_a_socket_has_a_longest),
		TEST(draining_removes_the_socket_file),
		TEST(bad_addresses_are_refused),
		TEST(inherited_socket_is_listened_on),
		TEST(without_descriptors_accepting_rests_and_recovers),
		TEST(resets_leave_nothing_behind),
		cmocka_unit_test_setup_teardown(connections_over_the_cap_wait_for_their_turn,
						setup_three_connections, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "server/http/server.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>

#include "common/clock.h"
#include "server/http/conn.h"

static size_t size_or(size_t value, size_t fallback)
{
	return value ? value : fallback;
}

static int64_t ms_or(int64_t value, int64_t fallback)
{
	return value ? value : fallback;
}

static struct http_limits with_defaults(const struct http_limits *l)
{
	static const struct http_limits none;
	if (!l)
		l = &none;
	return (struct http_limits){
		.head_bytes = size_or(l->head_bytes, 32 << 10),
		.head_lines = size_or(l->head_lines, 100),
		.head_timeout_ms = ms_or(l->head_timeout_ms, 10000),
		.body_timeout_ms = ms_or(l->body_timeout_ms, 30000),
		.write_timeout_ms = ms_or(l->write_timeout_ms, 60000),
		.idle_timeout_ms = ms_or(l->idle_timeout_ms, 15000),
		.requests_per_conn = size_or(l->requests_per_conn, 1000),
		.conns = size_or(l->conns, 4096),
	};
}

/* Tell the owner what has come to its end; the server may be gone afterwards. */
static void maybe_ended(struct http_server *s)
{
	if (s->open > 0)
		return;
	if (s->drained) {
		void (*drained)(void *app) = s->drained;
		s->drained = NULL;
		drained(s->app);
	}
	if (!s->closing || s->handles > 0)
		return;
	void (*closed)(void *app) = s->closed;
	void *app = s->app;
	close(s->spare_fd);
	free(s->buffers.input);
	free(s->buffers.plain);
	buf_release(&s->scratch);
	free(s);
	if (closed)
		closed(app);
}

/* What happened to a connection inside a call is looked at here, once per turn of the loop. */
static void on_ready(uv_idle_t *idle)
{
	struct http_server *s = idle->data;
	struct ready_list batch = TAILQ_HEAD_INITIALIZER(batch);
	struct conn *c;

	TAILQ_CONCAT(&batch, &s->ready, ready);
	while ((c = TAILQ_FIRST(&batch))) {
		TAILQ_REMOVE(&batch, c, ready);
		c->is_ready = false;
		conn_continue(c);
	}
	if (TAILQ_EMPTY(&s->ready))
		uv_idle_stop(idle);
	maybe_ended(s);
}

static void init_deadlines(struct http_server *s)
{
	const int64_t after_ms[DEADLINE_KINDS] = {
		[DEADLINE_IDLE] = s->limits.idle_timeout_ms,
		[DEADLINE_HEAD] = s->limits.head_timeout_ms,
		[DEADLINE_BODY] = s->limits.body_timeout_ms / 3,
		[DEADLINE_WRITE] = s->limits.write_timeout_ms / 4,
		[DEADLINE_HALF] = s->limits.idle_timeout_ms / 3,
		[DEADLINE_LINGER] = 2000,
	};
	deadlines_init(&s->deadlines, s->loop, after_ms, conn_on_deadline);
	s->deadlines.timer.data = s;
}

int http_server_create(struct http_server **out, struct uv_loop_s *loop,
		       const struct http_limits *limits, http_route_fn route, void *app,
		       struct err *err)
{
	int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (spare < 0)
		return err_set_errno(err, ERR_INTERNAL, "http_start", errno, "http: /dev/null");

	/* A client that is gone is an error of write(), not a signal. */
	signal(SIGPIPE, SIG_IGN);

	struct http_server *s = xnew(struct http_server);
	s->loop = loop;
	s->limits = with_defaults(limits);
	s->guard_limits = (struct guard_limits){ s->limits.head_bytes, s->limits.head_lines };
	s->route = route;
	s->app = app;
	s->spare_fd = spare;
	s->buffers = (struct wire_buffers){ xmalloc(WIRE_INPUT_BYTES), xmalloc(WIRE_PLAIN_BYTES) };
	TAILQ_INIT(&s->listeners);
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->ready);
	init_deadlines(s);
	uv_idle_init(loop, &s->ready_idle);
	s->ready_idle.data = s;
	uv_timer_init(loop, &s->accept_timer);
	s->accept_timer.data = s;
	s->handles = 3;
	*out = s;
	return 0;
}

void server_schedule(struct http_server *s, struct conn *c)
{
	TAILQ_INSERT_TAIL(&s->ready, c, ready);
	uv_idle_start(&s->ready_idle, on_ready);
}

/* ---- the Date header, made once a second ---- */

struct str server_date(struct http_server *s)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = (time_t)(clock_now_ms() / 1000);

	if (now != s->date_s) {
		struct tm tm = { 0 };
		gmtime_r(&now, &tm);
		snprintf(s->date, sizeof s->date, "Date: %s, %02u %s %04u %02u:%02u:%02u GMT\r\n",
			 days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
			 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
			 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
		s->date_s = now;
	}
	return str_from(s->date);
}

/* ---- the end ---- */

void server_conn_closed(struct http_server *s)
{
	s->open--;
	listeners_update(s);
	maybe_ended(s);
}

void server_handle_closed(struct http_server *s)
{
	s->handles--;
	maybe_ended(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	server_handle_closed(handle->data);
}

void http_server_drain(struct http_server *s, void (*drained)(void *app))
{
	struct conn *c, *next;

	s->draining = true;
	s->drained = drained;
	listeners_close(s);
	for (c = TAILQ_FIRST(&s->conns); c; c = next) {
		next = TAILQ_NEXT(c, all);
		conn_drain(c);
	}
	/* Without a connection nothing would say so; and never from inside this call. */
	uv_idle_start(&s->ready_idle, on_ready);
}

void http_server_close(struct http_server *s, void (*closed)(void *app))
{
	struct conn *c, *next;

	assert(!s->closing);
	s->closing = s->draining = true;
	s->closed = closed;
	listeners_close(s);
	for (c = TAILQ_FIRST(&s->conns); c; c = next) {
		next = TAILQ_NEXT(c, all);
		conn_abort(c);
	}
	uv_close((uv_handle_t *)&s->ready_idle, on_handle_closed);
	uv_close((uv_handle_t *)&s->accept_timer, on_handle_closed);
	uv_close((uv_handle_t *)&s->deadlines.timer, on_handle_closed);
}

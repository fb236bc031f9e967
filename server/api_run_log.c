/* GET /runs/{id}/log: the bytes, a range of them, live (?follow=1), or as server-sent events. */
#include <inttypes.h>

#include "queue/queue.h"
#include "server/api.h"
#include "server/log_follow.h"
#include "server/range.h"

/* What was asked, until the run is known; then the follower. */
struct log_request {
	bool follow;
	enum log_format format;
	struct range range;
	struct log_follower *follower;
};

static void log_request_release(void *data)
{
	struct log_request *l = data;
	if (l->follower)
		log_follow_gone(l->follower);
	free(l);
}

static void on_drained(struct http_req *req, void *app)
{
	struct call *c = http_data(req);
	struct log_request *l = c->data;

	(void)app;
	if (l->follower)
		log_follow_drained(l->follower);
}

/* A client that reconnects says where it was: Last-Event-ID; else Range: bytes=N-. */
static int read_request(struct http_req *req, struct log_request *l, struct err *err)
{
	struct str value;

	if (http_query(req, "follow", &value))
		l->follow = str_is(value, "1") || str_is(value, "true");
	if (http_header(req, "Accept", &value) && str_starts(value, "text/event-stream")) {
		l->format = LOG_EVENTS;
		l->follow = true;
	}
	if (http_header(req, "Last-Event-ID", &value)) {
		if (!str_to_u64(value, INT64_MAX, &l->range.first))
			return err_set(err, ERR_INVALID, "bad_offset",
				       "Last-Event-ID wants the id of an event: a byte offset");
		l->range.given = true;
		l->range.open = true;
		return 0;
	}
	if (http_header(req, "Range", &value))
		return range_parse(&l->range, value, err);
	return 0;
}

static void refuse_range(struct http_req *req, uint64_t size)
{
	char text[48];

	snprintf(text, sizeof text, "bytes */%" PRIu64, size);
	http_reply_header(req, "Content-Range", text);
	http_respond_error(req, 416, "bad_offset", NULL, "the log has %" PRIu64 " bytes", size);
}

static void start(struct call *c, struct log_request *l, const struct log_follow_opts *opts)
{
	l->follower = log_follow_start(c->app->logs, c->req, opts);
	log_follow_drained(l->follower);
}

/* It may have ended between the reading of its row and the follower's beginning, untold. */
static void on_second_look(const struct run *run, const struct err *err, void *data)
{
	struct call *c = data;

	if (!err && run_status_is_terminal(run->status))
		log_follow_wake(c->app->logs, run->id, true);
	call_unref(c);
}

/* Live: from the offset on, as long as the run goes on. */
static void follow(struct call *c, struct log_request *l, uint64_t size, bool ended)
{
	char text[64];
	struct log_follow_opts opts = { .run_id = c->name,
					.offset = l->range.first,
					.end = UINT64_MAX,
					.format = l->format,
					.ended = ended };

	if (l->range.suffix)
		opts.offset = size > l->range.last ? size - l->range.last : 0;
	if (opts.offset > size) {
		refuse_range(c->req, size);
		return;
	}
	if (l->range.given && l->format == LOG_BYTES) {
		snprintf(text, sizeof text, "bytes %" PRIu64 "-*/*", opts.offset);
		http_reply_header(c->req, "Content-Range", text);
	}
	http_stream_begin(c->req, l->range.given && l->format == LOG_BYTES ? 206 : 200,
			  l->format == LOG_EVENTS ? "text/event-stream; charset=utf-8"
						  : "text/plain; charset=utf-8",
			  on_drained);
	start(c, l, &opts);
	if (!ended)
		queue_get_run(c->app->queue, c->registry, c->name, on_second_look, call_ref(c));
}

/* What is there now. */
static void send_range(struct call *c, struct log_request *l, uint64_t size)
{
	char text[80];
	uint64_t first = 0, end = size;

	http_reply_header(c->req, "Accept-Ranges", "bytes");
	if (l->range.given) {
		if (!range_resolve(&l->range, size, &first, &end)) {
			refuse_range(c->req, size);
			return;
		}
		snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
			 end - 1, size);
		http_reply_header(c->req, "Content-Range", text);
	}
	http_stream_begin_length(c->req, l->range.given ? 206 : 200, "text/plain; charset=utf-8",
				 end - first, on_drained);
	start(c, l, &(struct log_follow_opts){ .run_id = c->name, .offset = first, .end = end });
}

static void on_run(const struct run *run, const struct err *err, void *data)
{
	struct call *c = data;
	struct log_request *l = c->data;
	struct err trouble = { 0 };
	uint64_t size = 0;

	if (!c->req) {
		call_unref(c);
		return;
	}
	if (err) {
		call_fail(c, err);
	} else {
		bool ended = run_status_is_terminal(run->status);
		/* A queued run has an empty log; one that ended long ago has none any more. */
		int rc = log_follow_size(c->app->logs, c->name, &size, &trouble);
		if (rc < 0 && (ended || trouble.code != ERR_NOTFOUND))
			call_fail(c, &trouble);
		else if (l->follow)
			follow(c, l, size, ended);
		else
			send_range(c, l, size);
	}
	call_unref(c);
}

void api_runs_log(struct call *c)
{
	struct log_request *l = xnew(struct log_request);
	struct err err = { 0 };

	c->data = l;
	c->release = log_request_release;
	if (read_request(c->req, l, &err) < 0)
		call_fail(c, &err);
	else
		queue_get_run(c->app->queue, c->registry, c->name, on_run, call_ref(c));
}

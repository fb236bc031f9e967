#include "server/log_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "model/run.h"
#include "runner/contract/rundir.h"
#include "server/http/http.h"
#include "server/sse.h"

enum { READ_BYTES = 64 << 10 };

/* A run that somebody follows. */
struct followed {
	char run_id[RUN_ID_BYTES];
	int fd; /* -1: there is no log (any more) */
	bool ended;
	struct log_follower *first;
	struct followed *next;
};

struct log_follower {
	struct followed *run;
	struct log_follower *next;
	struct log_follow *owner;
	struct http_req *req;
	uint64_t offset, end;
	bool events;
	bool full;     /* the socket has enough; `drained` will come */
	bool finished; /* the stream was ended: nothing of the request may be touched */
};

struct log_follow {
	char *data_dir;
	struct followed *runs;
	char *buffer; /* READ_BYTES, shared: reading and sending happen in one turn */
};

struct log_follow *log_follow_create(const char *data_dir)
{
	struct log_follow *f = xnew(struct log_follow);
	*f = (struct log_follow){ .data_dir = xstrdup(data_dir), .buffer = xmalloc(READ_BYTES) };
	return f;
}

void log_follow_destroy(struct log_follow *f)
{
	if (!f)
		return;
	free(f->data_dir);
	free(f->buffer);
	free(f);
}

int log_follow_size(struct log_follow *f, const char *run_id, uint64_t *out, struct err *err)
{
	cleanup_free char *path = rundir_path(f->data_dir, run_id, "log");
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_set_errno(err, ERR_UNAVAILABLE, "storage", errno,
					     "the log of %s", run_id);
		return err_set(err, ERR_NOTFOUND, "not_found", "the log of %s was removed", run_id);
	}
	*out = (uint64_t)st.st_size;
	return 0;
}

static struct followed *find_run(struct log_follow *f, const char *run_id)
{
	for (struct followed *run = f->runs; run; run = run->next) {
		if (strcmp(run->run_id, run_id) == 0)
			return run;
	}
	return NULL;
}

static struct followed *get_run(struct log_follow *f, const char *run_id)
{
	struct followed *run = find_run(f, run_id);

	if (run)
		return run;
	cleanup_free char *path = rundir_path(f->data_dir, run_id, "log");
	run = xnew(struct followed);
	snprintf(run->run_id, sizeof run->run_id, "%s", run_id);
	run->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	run->next = f->runs;
	f->runs = run;
	return run;
}

static void drop_run(struct log_follow *f, struct followed *run)
{
	for (struct followed **at = &f->runs; *at; at = &(*at)->next) {
		if (*at == run) {
			*at = run->next;
			break;
		}
	}
	if (run->fd >= 0)
		close(run->fd);
	free(run);
}

/* A queued run has a log only when its directory was made: look again as long as there is none. */
static void reopen(struct log_follow *f, struct followed *run)
{
	cleanup_free char *path = rundir_path(f->data_dir, run->run_id, "log");
	if (run->fd < 0)
		run->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* False: the socket has enough for now. */
static bool send_piece(struct log_follower *who, struct str piece)
{
	if (!who->events)
		return http_stream_write(who->req, piece);
	struct buf events = BUF_INIT;
	sse_write(&events, piece, who->offset);
	bool more = http_stream_write(who->req, buf_str(&events));
	buf_release(&events);
	return more;
}

static void finish(struct log_follower *who)
{
	who->finished = true;
	if (who->events)
		http_stream_write(who->req, STR("event: end\ndata:\n\n"));
	http_stream_end(who->req);
}

/* Events are whole lines; a line longer than the buffer, and what is left at the end, go as they
 * are. */
static size_t whole_lines(const char *bytes, size_t n, bool last)
{
	const char *newline = memrchr(bytes, '\n', n);
	return newline ? (size_t)(newline + 1 - bytes) : last || n == READ_BYTES ? n : 0;
}

static void pump(struct log_follower *who)
{
	struct log_follow *f = who->owner;

	reopen(f, who->run);
	while (!who->full && !who->finished) {
		size_t want = who->end - who->offset < READ_BYTES ? (size_t)(who->end - who->offset)
								  : READ_BYTES;
		ssize_t n = want && who->run->fd >= 0
				    ? pread(who->run->fd, f->buffer, want, (off_t)who->offset)
				    : 0;
		if (n > 0 && who->events)
			n = (ssize_t)whole_lines(f->buffer, (size_t)n,
						 who->run->ended || who->end != UINT64_MAX);
		if (n <= 0) {
			if (want == 0 || who->run->ended || n < 0)
				finish(who);
			return;
		}
		who->full = !send_piece(who, (struct str){ f->buffer, (size_t)n });
		who->offset += (uint64_t)n;
	}
}

struct log_follower *log_follow_start(struct log_follow *f, struct http_req *req,
				      const struct log_follow_opts *opts)
{
	struct log_follower *who = xnew(struct log_follower);
	struct followed *run = get_run(f, opts->run_id);

	run->ended = run->ended || opts->ended;
	*who = (struct log_follower){
		.run = run,
		.next = run->first,
		.owner = f,
		.req = req,
		.offset = opts->offset,
		.end = opts->end,
		.events = opts->format == LOG_EVENTS,
	};
	run->first = who;
	return who;
}

void log_follow_drained(struct log_follower *who)
{
	who->full = false;
	if (!who->finished)
		pump(who);
}

void log_follow_gone(struct log_follower *who)
{
	struct followed *run = who->run;

	for (struct log_follower **at = &run->first; *at; at = &(*at)->next) {
		if (*at == who) {
			*at = who->next;
			break;
		}
	}
	if (!run->first)
		drop_run(who->owner, run);
	free(who);
}

size_t log_follow_live(const struct log_follow *f)
{
	size_t n = 0;

	for (const struct followed *run = f->runs; run; run = run->next) {
		for (const struct log_follower *who = run->first; who; who = who->next)
			n += who->end == UINT64_MAX && !who->finished;
	}
	return n;
}

void log_follow_beat(struct log_follow *f)
{
	for (struct followed *run = f->runs; run; run = run->next) {
		for (struct log_follower *who = run->first; who; who = who->next) {
			if (who->events && !who->full && !who->finished)
				who->full = !http_stream_write(who->req, STR(":\n\n"));
		}
	}
}

void log_follow_wake(struct log_follow *f, const char *run_id, bool ended)
{
	struct followed *run = find_run(f, run_id);

	if (!run)
		return;
	run->ended = run->ended || ended;
	/* Ending a stream may end its request, and with it the follower: look ahead. */
	for (struct log_follower *who = run->first, *next; who; who = next) {
		next = who->next;
		bool last = !next;
		if (!who->full && !who->finished)
			pump(who);
		if (last)
			return; /* `run` may be gone with its last follower */
	}
}

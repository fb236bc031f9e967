#include "runner/launch/run_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <uv.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "runner/contract/rundir.h"

enum {
	LINE_BYTES = 8 << 10, /* report.h's ceiling */
	SAFETY_MS = 2000,
	SAFETY_BLIND_MS = 250, /* without inotify */
	LOG_QUIET_MS = 10,
};

struct run_follow {
	uv_fs_event_t watch; /* of the directory */
	uv_timer_t safety;
	uv_timer_t quiet; /* after news of the log: further news waits for its end */
	int handles;
	bool closed;
	bool log_news; /* came while it was quiet */
	char *run_id, *report_path, *log_path;
	int report_fd; /* -1 until there is one */
	off_t log_size;
	struct buf line; /* a beginning without its newline */
	bool skipping;   /* in a line that is too long */
	void (*on_line)(const struct report_line *line, void *data);
	void (*on_pause)(void *data);
	void (*on_log)(void *data);
	void *data;
};

/* ---- the report ---- */

static void tell_line(struct run_follow *f, struct str text)
{
	struct report_line line = { 0 };
	struct err err = { 0 };

	if (f->skipping || report_parse(&line, text, &err) < 0)
		log_warn("report.damaged", "run=%s error=\"%s\"", f->run_id,
			 f->skipping ? "line too long" : err.msg);
	else
		f->on_line(&line, f->data);
	report_line_release(&line);
	f->skipping = false;
}

static void take(struct run_follow *f, struct str piece)
{
	while (piece.len > 0 && !f->closed) {
		size_t end = str_find(piece, '\n', 0);

		if (buf_addstr(&f->line, str_slice(piece, 0, end)) < 0)
			f->skipping = true;
		if (end < piece.len) {
			tell_line(f, buf_str(&f->line));
			buf_clear(&f->line);
		}
		piece = str_after(piece, end + 1);
	}
}

void run_follow_read(struct run_follow *f)
{
	char piece[4096];
	ssize_t n = 0;

	if (f->report_fd < 0)
		f->report_fd = open(f->report_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	while (f->report_fd >= 0 && !f->closed && (n = read(f->report_fd, piece, sizeof piece)) > 0)
		take(f, (struct str){ piece, (size_t)n });
	if (n < 0)
		log_error("report.unreadable", "run=%s errno=%d", f->run_id, errno);
	if (!f->closed)
		f->on_pause(f->data);
}

/* ---- the log ---- */

static void on_quiet_end(uv_timer_t *timer);

static void tell_log(struct run_follow *f)
{
	if (uv_is_active((uv_handle_t *)&f->quiet)) {
		f->log_news = true;
		return;
	}
	f->log_news = false;
	uv_timer_start(&f->quiet, on_quiet_end, LOG_QUIET_MS, 0);
	f->on_log(f->data);
}

static void on_quiet_end(uv_timer_t *timer)
{
	struct run_follow *f = timer->data;

	if (f->log_news)
		tell_log(f);
}

/* ---- news ---- */

static void on_event(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct run_follow *f = watch->data;
	(void)events;

	if (status < 0 || !name)
		return; /* the safety timer goes on */
	if (str_is(STR("log"), name))
		tell_log(f);
	else if (str_is(STR("report"), name))
		run_follow_read(f);
}

static void on_safety(uv_timer_t *timer)
{
	struct run_follow *f = timer->data;
	struct stat st;

	if (stat(f->log_path, &st) == 0 && st.st_size != f->log_size) {
		f->log_size = st.st_size;
		tell_log(f);
	}
	if (!f->closed)
		run_follow_read(f);
}

static void on_closed(uv_handle_t *handle)
{
	struct run_follow *f = handle->data;

	if (--f->handles > 0)
		return;
	if (f->report_fd >= 0)
		close(f->report_fd);
	buf_release(&f->line);
	free(f->run_id);
	free(f->report_path);
	free(f->log_path);
	free(f);
}

void run_follow_close(struct run_follow *f)
{
	if (!f || f->closed)
		return;
	f->closed = true;
	uv_close((uv_handle_t *)&f->watch, on_closed);
	uv_close((uv_handle_t *)&f->safety, on_closed);
	uv_close((uv_handle_t *)&f->quiet, on_closed);
}

void run_follow_start(struct run_follow **out, struct uv_loop_s *loop,
		      const struct run_follow_opts *opts)
{
	struct run_follow *f = xnew(struct run_follow);
	char *dir = rundir_path(opts->data_dir, opts->run_id, NULL);

	*f = (struct run_follow){
		.run_id = xstrdup(opts->run_id),
		.report_path = rundir_path(opts->data_dir, opts->run_id, "report"),
		.log_path = rundir_path(opts->data_dir, opts->run_id, "log"),
		.report_fd = -1,
		.line = BUF_LIMIT(LINE_BYTES),
		.handles = 3,
		.on_line = opts->on_line,
		.on_pause = opts->on_pause,
		.on_log = opts->on_log,
		.data = opts->data,
	};
	uv_fs_event_init(loop, &f->watch);
	uv_timer_init(loop, &f->safety);
	uv_timer_init(loop, &f->quiet);
	f->watch.data = f->safety.data = f->quiet.data = f;
	int rc = uv_fs_event_start(&f->watch, on_event, dir, 0);
	if (rc < 0)
		log_warn("run.no_watch", "run=%s error=\"%s\"", f->run_id, uv_strerror(rc));
	uv_timer_start(&f->safety, on_safety, 0, rc < 0 ? SAFETY_BLIND_MS : SAFETY_MS);
	free(dir);
	*out = f;
}

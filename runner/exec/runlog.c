#include "runner/exec/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/mask.h"

enum {
	SAY_BYTES = 4096,          /* the longest line of ours */
	RESERVE_BYTES = 64 * 1024, /* past the limit, for lines of ours */
};

struct runlog {
	int fd;
	struct mask *mask;
	struct buf masked; /* scratch */
	struct buf lines;  /* scratch: ready for the file */
	int64_t limit_bytes, line_bytes;
	int64_t written_bytes;
	int64_t column; /* bytes since the last newline */
	bool full;
	int errnum;
};

int runlog_open(struct runlog **out, const char *path, int64_t limit_bytes, int64_t line_bytes,
		struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "storage", errno, "cannot open %.200s",
				     path);
	*out = xnew(struct runlog);
	**out = (struct runlog){
		.fd = fd,
		.mask = mask_create(),
		.limit_bytes = limit_bytes,
		.line_bytes = line_bytes,
	};
	return 0;
}

void runlog_mask(struct runlog *log, const struct secret *secret)
{
	runlog_flush(log);
	mask_add(log->mask, (struct str){ secret_reveal(secret), secret->len });
}

bool runlog_is_full(const struct runlog *log)
{
	return log->full;
}

int runlog_errno(const struct runlog *log)
{
	return log->errnum;
}

/* ---- towards the file ---- */

/* A log that cannot be written must not end the run by itself: who runs a program asks. */
static void put(struct runlog *log, struct str bytes)
{
	if (log->errnum || bytes.len == 0)
		return;
	if (fs_write_all(log->fd, bytes, NULL) < 0)
		log->errnum = errno ? errno : EIO;
	log->written_bytes += (int64_t)bytes.len;
}

/* Copy with a newline wherever a line reaches the limit. */
static void split_lines(struct runlog *log, struct str bytes)
{
	while (bytes.len) {
		size_t end = str_find(bytes, '\n', 0);
		bool whole = end < bytes.len;
		size_t room = bytes.len;
		if (log->line_bytes)
			room = log->column < log->line_bytes
				       ? (size_t)(log->line_bytes - log->column)
				       : 0;
		size_t n = end < room ? end : room;
		bool split = n < end;
		buf_addstr(&log->lines, str_slice(bytes, 0, n));
		log->column += (int64_t)n;
		bytes = str_after(bytes, n + (whole && !split));
		if (whole || split) {
			buf_addc(&log->lines, '\n');
			log->column = 0;
		}
	}
}

/* What is ready goes to the file, up to the limit. */
static void put_bounded(struct runlog *log)
{
	struct str ready = buf_str(&log->lines);

	if (!log->full && log->limit_bytes &&
	    (int64_t)ready.len > log->limit_bytes - log->written_bytes) {
		int64_t room = log->limit_bytes - log->written_bytes;
		put(log, str_slice(ready, 0, room > 0 ? (size_t)room : 0));
		put(log,
		    STR("\n*** the log of a run may not be longer: the rest is dropped ***\n"));
		log->full = true;
		log->column = 0;
	} else if (!log->full) {
		put(log, ready);
	}
	buf_clear(&log->lines);
}

void runlog_write(struct runlog *log, struct str bytes)
{
	if (log->full)
		return;
	mask_feed(log->mask, bytes, &log->masked);
	split_lines(log, buf_str(&log->masked));
	buf_clear(&log->masked);
	put_bounded(log);
}

void runlog_flush(struct runlog *log)
{
	mask_finish(log->mask, &log->masked);
	if (!log->full)
		split_lines(log, buf_str(&log->masked));
	buf_clear(&log->masked);
	put_bounded(log);
}

/* ---- our own lines ---- */

static void add_time(struct buf *line)
{
	char when[CLOCK_TEXT_BYTES];

	clock_format(when, clock_now_ms());
	buf_addf(line, "%.4s/%.2s/%.2s %.8s ", when, when + 5, when + 8, when + 11);
}

/* One line of text, whatever was quoted in it. */
static void neutralise(struct buf *line)
{
	for (size_t i = 0; i < line->len; i++) {
		unsigned char c = (unsigned char)line->ptr[i];
		if (c < 0x20 || c == 0x7f)
			line->ptr[i] = '?';
	}
}

void runlog_say(struct runlog *log, const char *fmt, ...)
{
	cleanup_buf struct buf line = BUF_INIT;
	va_list args;

	runlog_flush(log);
	add_time(&line);
	va_start(args, fmt);
	buf_vaddf(&line, fmt, args);
	va_end(args);
	/* Masked before it is cut or changed, or half a secret could remain. */
	mask_feed(log->mask, buf_str(&line), &log->masked);
	mask_finish(log->mask, &log->masked);
	buf_truncate(&log->masked, SAY_BYTES);
	neutralise(&log->masked);
	if (log->column)
		put(log, STR("\n"));
	buf_addc(&log->masked, '\n');
	log->column = 0;
	if (!log->limit_bytes || log->written_bytes < log->limit_bytes + RESERVE_BYTES)
		put(log, buf_str(&log->masked));
	buf_clear(&log->masked);
}

void runlog_close(struct runlog *log)
{
	if (!log)
		return;
	runlog_flush(log);
	fdatasync(log->fd);
	close(log->fd);
	mask_destroy(log->mask);
	buf_release(&log->masked);
	buf_release(&log->lines);
	free(log);
}

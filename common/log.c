#include "common/log.h"

#include <errno.h>
#include <stdarg.h>

#include "common/buf.h"
#include "common/clock.h"

static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_enabled(enum log_level level)
{
	return level >= threshold;
}

/* One write per line, so that lines of several processes never mix. */
static void write_line(const struct buf *line)
{
	size_t done = 0;
	while (done < line->len) {
		ssize_t n = write(STDERR_FILENO, line->ptr + done, line->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody can be told that the log is gone */
		done += (size_t)n;
	}
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char when[CLOCK_TEXT_BYTES];
	struct buf line = BUF_LIMIT(8192);

	if (!log_enabled(level))
		return;
	buf_addf(&line, "%s %s %s ", clock_format(when, clock_now_ms()), names[level], event);
	va_list args;
	va_start(args, fmt);
	buf_vaddf(&line, fmt, args);
	va_end(args);
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];
		if (c < 0x20 || c == 0x7f)
			line.ptr[i] = '?';
	}
	line.limit = 0;
	buf_addc(&line, '\n');
	write_line(&line);
	buf_release(&line);
}

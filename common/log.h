/*
 * log: structured lines on standard error, for the operator.
 *
 *   log_info("run.started", "run=%s task=%s attempt=%d", id, task, attempt);
 *   2024-01-31T12:00:00.123Z info run.started run=ca1 task=web attempt=1
 *
 * The event name is stable, then come key=value pairs; a value with blanks is quoted by the
 * caller (key="%s"). Control bytes are replaced. Libraries return errors and do not log; the edge
 * that decides logs once. Secrets have their own type (secret.h) that has no printer.
 */
#pragma once
#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* The only global of the program. Default: LOG_INFO. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/*
 * run_follow: reads the report of one run directory as it grows, and notices when its log does.
 *
 * One inotify watch on the directory serves both files and everybody who follows the run. A slow
 * timer looks as well: it is the safety net where inotify has no watch left or tells nothing.
 *
 * Calling sequence:
 *   1. run_follow_start(): lines that are already there are told from the next turn on;
 *   2. run_follow_read() tells at once what is there: the last lines of a runner that has ended;
 *   3. run_follow_close(), after which no callback comes.
 *
 * Loop thread only. The files are small or read in small pieces; nothing else blocks.
 */
#pragma once
#include "common/err.h"
#include "runner/contract/report.h"

struct uv_loop_s;
struct run_follow;

struct run_follow_opts {
	const char *data_dir; /* copied */
	const char *run_id;   /* copied */
	/* One complete line, borrowed for the call. Damaged lines are logged and skipped. */
	void (*on_line)(const struct report_line *line, void *data);
	void (*on_pause)(void *data); /* no complete line is left for now */
	void (*on_log)(void *data);   /* the log has grown; at most once every 10 ms */
	void *data;
};

void run_follow_start(struct run_follow **out, struct uv_loop_s *loop,
		      const struct run_follow_opts *opts);
void run_follow_read(struct run_follow *f);
void run_follow_close(struct run_follow *f); /* NULL is fine */

/*
 * process: one process of ours that is watched until its end, whether this server started it or
 * found it alive. The end is the pidfd becoming readable, so that both are the same thing; our own
 * children are reaped, and nothing depends on a pipe staying open: a process goes on when the
 * server that started it dies.
 *
 * Calling sequence:
 *   1. process_start() or process_adopt();
 *   2. process_feed() once, for a started one: it reads that document, then end of file;
 *   3. on_end() is called once;
 *   4. process_close() at any time: it stops the watching, not the process.
 *
 * Loop thread only. Starting takes about a millisecond (until exec), nothing else blocks.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/str.h"

struct uv_loop_s;
struct process;

struct process_opts {
	const char *program;
	const char *verb;     /* its one argument, or NULL */
	const char *err_path; /* takes standard output and error, made anew; NULL: /dev/null */
	/* Standard output comes here instead, in pieces that are borrowed for the call; or NULL. */
	void (*on_output)(struct str bytes, void *data);
	/* It has ended. `status` is waitpid's, or -1 when it was not our child. */
	void (*on_end)(int status, void *data);
	void *data;
};

/* In a session of its own, with default signals and a short environment. Words:
 * "runner_missing"; "runner_lost" when there is no room for a process now. */
int process_start(struct process **out, struct uv_loop_s *loop, const struct process_opts *opts,
		  struct err *err);
/* Watch a process that is not our child. The pidfd is taken over, also on failure. */
int process_adopt(struct process **out, struct uv_loop_s *loop, int pidfd,
		  const struct process_opts *opts, struct err *err);
/* From now on somebody else is told of the end (a spare that gets its run). */
void process_hand_over(struct process *p, void (*on_end)(int status, void *data), void *data);

/* The document for its standard input, then end of file. Taken over, wiped when it is written. */
void process_feed(struct process *p, char *text, size_t len);
/* Is the document still on its way? */
bool process_is_feeding(const struct process *p);
bool process_is_alive(const struct process *p);
void process_signal(struct process *p, int signal); /* harmless when it has ended */
void process_close(struct process *p);              /* NULL is fine */

/* "exited with status 3", "was killed by signal 9 (Killed)", "ended". Returns `out`. */
const char *process_end_text(char *out, size_t size, int status);

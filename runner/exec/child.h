/*
 * child: run a program to its end, without a shell, while the run may go on.
 *
 *   struct child_opts opts = { .argv = argv.items, .envp = env.items, .log = x->log };
 *   struct child_result result;
 *   if (child_run(&result, x, &opts, err) < 0)
 *           return -1;                      stopped, or it could not be started
 *   if (result.exit_code != 0) …            its own verdict
 *
 * The program gets its own process group, default signals, an empty signal mask and no descriptor
 * but 0, 1 and 2. Output goes to the log as it comes, while cancel and deadline are watched. To
 * stop it, the group gets SIGTERM, then SIGKILL after half of the run's grace time (the other half
 * is for cleaning up). When the program has ended, what is left of its group is killed, and its
 * pipes are drained to their end, or for a second when a stray process holds them open.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

struct exec;
struct runlog;

struct child_opts {
	char *const *argv; /* argv[0] is the program's path; NULL-terminated */
	char *const *envp; /* all of its environment; NULL: empty */
	const char *dir;   /* working directory; NULL: "/" */
	struct str input;  /* its standard input; empty: /dev/null. May hold secrets. */

	/* Where output goes. All three may be NULL. */
	struct runlog *log; /* standard error, and standard output unless `out` is set */
	struct buf *out;    /* standard output, which then does not go to the log */
	struct buf *tail;   /* the last `limit` bytes of what the log gets, for finding the cause */

	int64_t limit_ms; /* a deadline of its own; 0: only the run's */
};

struct child_result {
	int exit_code; /* 0-255; -1 when a signal ended it */
	int signal;    /* or 0 */
};

/*
 * 0 when the program ran to its own end, well or not: look at *out.
 * -1: ERR_CANCELED "canceled" and ERR_TIMEOUT "timeout" of the run (exec_may_go_on()); ERR_TIMEOUT
 * "program_timeout" after limit_ms; ERR_LIMIT "log_limit" when the log is full, "program_output"
 * when `out` is; ERR_NOTFOUND or ERR_DENIED "program_start" when it cannot be executed,
 * ERR_UNAVAILABLE "program_start" when there are no processes left.
 * `x` may be NULL: nothing but limit_ms stops it then (for sweeping up after a run).
 */
int child_run(struct child_result *out, const struct exec *x, const struct child_opts *opts,
	      struct err *err);

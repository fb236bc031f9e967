/*
 * exec: the child that carries out one run: blocking, single-threaded C that reads from top to
 * bottom: fetch, build, push, result. This header is what its files share.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/contract/report.h"
#include "runner/contract/spec.h"

struct cgroup;
struct checkout;
struct runlog;

/* One run under way. */
struct exec {
	struct spec spec;
	char *dir;  /* the run directory */
	char *work; /* dir/work: everything temporary */
	struct runlog *log;
	int report_fd;
	struct cgroup *cgroup; /* being entered: cgroup_entered() before the first program */
	int64_t deadline_ms;   /* monotonic */
	int stop_fd;           /* readable, and never read, once SIGTERM came (a signalfd); or -1 */
	bool own_mounts;       /* in a mount namespace of its own: it may mount */
};

/*
 * The latest reason to stop, checked by every wait and by every callback of a library: 0 while the
 * run may go on; -1 with ERR_CANCELED "canceled" after SIGTERM, or ERR_TIMEOUT "timeout" after the
 * deadline.
 */
int exec_may_go_on(const struct exec *x, struct err *err);
/* Sleep, unless there is a reason to stop (before, during or after it: then -1 as above). */
int exec_pause(const struct exec *x, int64_t ms, struct err *err);

/*
 * Append a line to the run's report; its time and attempt are filled in. The result is synced to
 * disk before this returns. A report that cannot be written ends the process: nobody could be told
 * anything any more, and the server will find a run without a result.
 */
void exec_report(const struct exec *x, struct report_line line);

/* What fetching gives to building. Owned strings. */
struct source {
	char *dir;                 /* the context folder, after ignore rules; below x->work */
	char *dockerfile;          /* absolute path of the Dockerfile, which COPY need not see */
	char *commit;              /* full id, or NULL when the context is no git repository */
	char *branch, *git_tag;    /* short names, or NULL */
	struct checkout *checkout; /* that `dir` is a view of, kept locked; or NULL */
};
/*
 * Bring the context of x->spec.build into x->work: git, uploaded archive or none. On failure *out
 * holds what had been found out by then (the commit), and is to be released too.
 * Words: git_*, ref_*, context_*, dockerfile_missing, path_denied, tar_*, ignore_* (model/cause.c).
 */
int source_fetch(struct source *out, struct exec *x, struct err *err);
void source_release(struct source *s);

/*
 * rundir: the run directory <data>/runs/<run-id>/, the contract between server and runner. Both
 * survive each other.
 *
 *   lock    flock held for the life of the runner; one line "pid starttime boot-id"
 *   log     append-only, what the user reads; all attempts
 *   report  append-only JSON lines (report.h); all attempts
 *   grant   written by the server: this attempt may push ("attempt\n")
 *   work/   the runner's; removed at the end
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct rundir_owner {
	pid_t pid;
	uint64_t start_time; /* field 22 of /proc/<pid>/stat, in clock ticks since boot */
	char boot_id[40];
};

/* "<data_dir>/runs/<run_id>/<name>"; name may be NULL. Owned by the caller. */
char *rundir_path(const char *data_dir, const char *run_id, const char *name);
/* Create the directory (0700) and an empty log, so that a queued run already has one. */
int rundir_create(const char *data_dir, const char *run_id, struct err *err);

/*
 * Runner: take the lock for this process and write the owner's line. The fd (close-on-exec) is the
 * lease. Call it before a /proc of an own PID namespace is mounted: the line must name the process
 * as the host sees it. ERR_CONFLICT "locked" when another process keeps it for half a second.
 */
int rundir_lock(int *out_fd, const char *data_dir, const char *run_id, struct err *err);
/*
 * Is somebody running it? *owner is filled when so. In the instant between the taking of the lock
 * and the writing of the line it is empty (pid 0) or that of an earlier owner, who is gone: ask
 * again. A run directory that is not there is not locked.
 */
int rundir_is_locked(bool *out, struct rundir_owner *owner, const char *data_dir,
		     const char *run_id, struct err *err);
/* A pidfd of exactly that process, or -1 with ERR_NOTFOUND when it is gone (start time and boot id
 * compared). */
int rundir_owner_pidfd(int *out_fd, const struct rundir_owner *owner, struct err *err);

/* Server: grant the push to `attempt` (temporary file, fsync, rename). */
int rundir_grant(const char *data_dir, const char *run_id, int attempt, struct err *err);
/* Runner: has this attempt been granted? */
bool rundir_is_granted(const char *data_dir, const char *run_id, int attempt);

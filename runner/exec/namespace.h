/*
 * namespace: a process whose death takes everything with it that it started or mounted.
 *
 * Where the host permits it is the first process of a PID namespace of its own, in a mount
 * namespace of its own, with its own /proc and empty private folders where container runtimes
 * keep global state. Where it does not, it is a process group whose orphans fall to us
 * (subreaper), and namespace_kill() hunts them down.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

struct isolation {
	bool pid, mount; /* in namespaces of its own */
	char why[200];   /* why not; "" when both */
};

/*
 * As fork(): 0 in the child, its pid in the parent, -1 with "fork" in the error. *got is filled in
 * the child; in the parent only `pid` is. The child dies with the parent (SIGKILL), begins with
 * the parent's signal mask, and ends with _exit(). The parent must have no threads.
 */
pid_t namespace_fork(struct isolation *got, struct err *err);

/* End the child, not reaped yet, and everything that it left; returns when nothing is left. */
void namespace_kill(pid_t child, const struct isolation *got);

/*
 * cgroup: one control group per run, "slipway/<name>", in the unified hierarchy and in the old
 * hierarchies of memory, pids, cpu and freezer, wherever the host lets us make one.
 *
 *   slipway/ca1-5f3a9c12   limits; what is killed and removed as a whole
 *     runner               the runner, and what it starts
 *     build                the engine's, for its containers
 *
 * The runner sits in a leaf because the unified hierarchy allows no processes beside groups that
 * have controllers.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/strvec.h"

struct spec;

struct cgroup_limits {
	int64_t memory_bytes, pids; /* 0: no limit */
	double cpus;
};

struct cgroup {
	struct strvec dirs;    /* of the run, one per hierarchy that could be used */
	struct strvec missing; /* limits that were asked for and cannot be kept: "memory", … */
	pthread_t mover;       /* while the process is on its way into the leaf */
	bool moving;
};

/*
 * The name of a run's group: its id, and which data folder's, since two services on one machine
 * both have a "ca1". Owned by the caller.
 */
char *cgroup_name(const struct spec *spec);

/* As far as the host allows; no dirs when it allows nothing. Never fails. */
void cgroup_make(struct cgroup *out, const char *name, const struct cgroup_limits *limits);
/*
 * Move the calling process into the leaf. The kernel waits for a grace period of its own meanwhile
 * (15 ms, measured), which a fetch need not wait for: the move begins here, in a thread, and
 * cgroup_entered() waits for its end. Between the two the process may not start a program.
 */
void cgroup_enter(struct cgroup *g);
void cgroup_entered(struct cgroup *g); /* at once when nothing is under way */
/* SIGKILL to every process below, over and over until none is left or a second has passed. */
void cgroup_kill(const struct cgroup *g);
void cgroup_release(struct cgroup *g);

/*
 * Kill what is left and remove the run's groups from every hierarchy, the deepest first. Knows
 * nothing but the name, so that it also sweeps after a runner that is gone. "cgroup_busy" when
 * processes in them do not die.
 */
int cgroup_remove(const char *name, struct err *err);

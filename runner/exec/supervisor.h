/*
 * supervisor: the outer of a run's two processes. It holds the lease and does as little as can go
 * wrong; the inner one (run.h), first in a PID namespace, does the work.
 *
 *   server ──spec──► supervisor (lock, cgroup) ──fork──► run (fetch, build, push, result)
 *                        │ SIGTERM: passed on                   │
 *                        │ not ended in time: SIGKILL ──────────┘
 *                        ▼
 *                    sweep: cgroups, engine, work/
 *
 * The result line comes from the inner process, or from the supervisor when it had to kill it. An
 * inner process that died by itself leaves none: the run crashed, and the server decides.
 */
#pragma once
#include "runner/contract/spec.h"

/* Carry out the run; returns the exit code of the program: 0 when there is a result line. */
int supervisor_run(const struct spec *spec);

/* Remove what an earlier runner of this run left behind, wherever it stopped. Exit code. */
int supervisor_sweep(const struct spec *spec);

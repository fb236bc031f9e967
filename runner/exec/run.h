/*
 * run: the inner process of a run: the straight line from the specification to the result.
 */
#pragma once
#include "runner/exec/exec.h"
#include "runner/exec/namespace.h"

enum run_exit {
	RUN_EXIT_DONE = 0,  /* the result is written, nothing is left behind */
	RUN_EXIT_SWEEP = 2, /* the result is written, the engine may have left something */
};

/* `x` has its run directory, report and stop condition; the log is opened here. */
enum run_exit run_main(struct exec *x, const struct isolation *isolation);

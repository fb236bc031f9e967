/*
 * checkout_mount: a run's own view of a kept checkout: an overlay, so that nothing is copied and
 * what a build writes into its context stays with the run. Only in a mount namespace of our own:
 * the mount ends with it.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"

struct exec;

/*
 * Can it be done with this folder? Not on every file system. Tried out, not guessed; leaves
 * nothing behind. x->own_mounts is set.
 */
bool checkout_mount_is_possible(const char *files, const struct exec *x);

/*
 * Show the folder `files` at `at`, which is made. What is written there goes to x->work. `files`
 * may not change as long as the view is used. When it fails, `at` is not there.
 */
int checkout_mount(const char *at, const char *files, const struct exec *x, struct err *err);

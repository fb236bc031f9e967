/*
 * data_dir: the service's folder: made with the right modes, and held by one server at a time.
 *
 *   0750 <data_dir>          so that members of the group reach slipway.sock
 *   0700 runs/ git/ sources/ engine/
 *   0600 lock                the pid of the server that holds it
 */
#pragma once
#include "common/err.h"

/* *lock_fd is the hold. Words: "config_locked" (names the pid of the other server), "storage". */
int data_dir_open(int *lock_fd, const char *path, struct err *err);

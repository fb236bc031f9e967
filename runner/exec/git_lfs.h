/*
 * git_lfs: the content behind Git LFS pointers, by the batch API
 * (git-lfs/docs/api/batch.md) over transfer.h.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_left.h"

struct exec;
struct git_brought;

/*
 * Fetch what left->pointers name from the LFS server of the repository `from`, and write each file
 * below `root_fd` (the root of the context), with the time `time_s`. What was fetched once is kept
 * beside the mirror. Every byte is checked against the pointer's SHA-256 before the file gets its
 * name. Words: "git_lfs" (a file the server does not have; the message names it), "git_auth",
 * "git_network", "git_timeout", "git_too_large", "address_denied", "redirect_denied", "disk_full".
 */
int git_lfs_write(int root_fd, const struct git_brought *from, const struct git_left *left,
		  int64_t time_s, struct exec *x, struct err *err);

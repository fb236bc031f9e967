/*
 * git_lfs: the content behind Git LFS pointers, by the batch API (git-lfs/docs/api/batch.md) over
 * transfer.h.
 *
 * Its parts: git_lfs_url (which URLs), git_lfs_batch (what is said), git_lfs_server (the network),
 * git_lfs_store (what is kept and written). Here is what is wanted, and in which order.
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
 * name. Words: "git_lfs" (a file the server does not have, or has damaged; the message names it),
 * "git_auth", "git_network", "git_timeout", "git_protocol", "git_too_large" (by what the pointers
 * say, before anything is fetched), "git_unsafe_tree", "scheme_denied", "port_denied",
 * "address_denied", "redirect_denied", "tls", "disk_full", "storage".
 */
int git_lfs_write(int root_fd, const struct git_brought *from, const struct git_left *left,
		  int64_t time_s, struct exec *x, struct err *err);

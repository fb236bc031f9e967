/*
 * git_lfs_server: conversation with the Git LFS server of a repository.
 *
 *   struct git_lfs_server *s = git_lfs_server_open(from, x);
 *   git_lfs_server_ask(s, objects, len, err)       at most GIT_LFS_BATCH_MAX of them
 *   git_lfs_server_download(s, store, object, err) while they have not expired
 *   git_lfs_server_close(s);
 *
 * What passes (the network, a status of 429 or 5xx) is tried again a few times. The repository's
 * credential is shown to URLs below the repository's own only; headers that the server wants to
 * have sent go to the download that they came with, and are masked in the log.
 */
#pragma once
#include <stddef.h>

#include "common/err.h"
#include "runner/exec/git_lfs_batch.h"

struct exec;
struct git_brought;
struct git_lfs_server;
struct git_lfs_store;

/* Both are borrowed until it is closed. */
struct git_lfs_server *git_lfs_server_open(const struct git_brought *from, struct exec *x);
void git_lfs_server_close(struct git_lfs_server *s);

/*
 * Where are these (in the order of their ids)? Words: those of git_lfs_batch_read(), "git_auth",
 * "git_network", "git_timeout", "address_denied", "redirect_denied", "tls"; "git_lfs" when the
 * repository has no LFS server.
 */
int git_lfs_server_ask(struct git_lfs_server *s, struct git_lfs_object *const *objects, size_t len,
		       struct err *err);

/*
 * Bring one that was asked for into the store. "git_lfs" when it is not there or not what the
 * pointer says (then it is not kept), those above, and those of git_lfs_check_href().
 */
int git_lfs_server_download(struct git_lfs_server *s, const struct git_lfs_store *store,
			    struct git_lfs_object *o, struct err *err);

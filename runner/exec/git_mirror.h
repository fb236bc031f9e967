/*
 * git_mirror: a bare repository of ours per remote repository and credential, under data_dir/git/,
 * so that a fetch brings only what is new. It is a cache: a damaged one is thrown away and made
 * again.
 *
 * One lock file per mirror: exclusive while it is fetched into, shared while it is read, so that
 * retention (which takes it exclusively) never pulls it away. Objects that are there are complete:
 * libgit2 adds a pack only when all of it came.
 */
#pragma once
#include <git2/repository.h>
#include <stdbool.h>

#include "common/err.h"

struct exec;

struct git_mirror {
	git_repository *repo;
	char *path;
	int lock_fd;
};

/*
 * The mirror called `key` (a file name), locked shared, made when it does not exist yet.
 * "git_timeout" when another run holds it for longer than git_timeout_ms; "disk_full", "storage".
 */
int git_mirror_open(struct git_mirror *out, const struct exec *x, const char *key, struct err *err);
void git_mirror_close(struct git_mirror *m); /* accepts a zeroed one */

/* Before and after a fetch. In between, what an interrupted fetch left is removed. */
int git_mirror_begin_fetch(struct git_mirror *m, const struct exec *x, struct err *err);
int git_mirror_end_fetch(struct git_mirror *m, const struct exec *x, struct err *err);
/* Throw away what it holds and begin again, under the exclusive lock. */
int git_mirror_reset(struct git_mirror *m, struct err *err);

bool git_mirror_has(const struct git_mirror *m, const git_oid *commit);
/* Remember that this commit and its history are here, for the next fetch of `name` (any text). */
int git_mirror_keep(struct git_mirror *m, const char *name, const git_oid *commit, struct err *err);

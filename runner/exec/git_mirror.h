/*
 * git_mirror: a bare repository of ours per remote repository and credential, under data_dir/git/,
 * so that a fetch brings only what is new. It holds commits without their history, as git's
 * shallow clones do. It is a cache: a damaged one is thrown away and made again.
 *
 * One lock file per mirror: exclusive while it is fetched into, shared while it is read, so that
 * tidying (which takes it exclusively) never pulls it away; its time is that of the last use.
 * Objects that are there are complete: a pack is added only when all of it came.
 */
#pragma once
#include <git2/repository.h>
#include <stdbool.h>

#include "common/err.h"
#include "runner/exec/git_pack.h"

struct exec;

struct git_mirror {
	git_repository *repo;
	char *path;
	int lock_fd;
	struct git_oids haves;   /* commits that are here, and remembered */
	struct git_oids shallow; /* commits whose parents are not, remembered or not */
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
/*
 * In between the mirror is not locked: while other repositories are fetched, which may be the same
 * one, or wait for this one. Objects that were opened stay; if it was tidied away meanwhile, others
 * are missing ("git_bad_object").
 */
void git_mirror_pause(struct git_mirror *m);
int git_mirror_resume(struct git_mirror *m, const struct exec *x, struct err *err);
/* Throw away what it holds and begin again, under the exclusive lock. */
int git_mirror_reset(struct git_mirror *m, struct err *err);

/* One of this run alone, below x->work, empty. */
int git_mirror_scratch(struct git_mirror *out, const struct exec *x, struct err *err);

bool git_mirror_has(const struct git_mirror *m, const git_oid *commit);
/* Remember that this commit is here, for the next fetch of `name` (any text). */
int git_mirror_keep(struct git_mirror *m, const char *name, const git_oid *commit, struct err *err);
/* What a server said about the pack that was just added: before its commits are remembered. */
int git_mirror_note_shallow(struct git_mirror *m, const struct git_oids *shallow,
			    const struct git_oids *unshallow, struct err *err);

/*
 * git_lfs_store: contents of Git LFS that were fetched once, in a folder beside the mirror,
 * <key>.lfs/<first two digits of the id>/<id>.
 *
 * It is a cache: nothing in it is synced to disk, so every use checks size and SHA-256, and what
 * is damaged is thrown away and fetched again. Whoever looks holds the mirror's lock, which
 * retention takes before it removes anything; runs that add the same content at once replace each
 * other's file by an equal one.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_left.h"
#include "runner/exec/git_lfs_batch.h"

struct exec;

struct git_lfs_store {
	char *dir;
	const struct exec *x; /* every long loop ends with the run; borrowed */
};

void git_lfs_store_init(struct git_lfs_store *out, const char *mirror, const struct exec *x);
void git_lfs_store_release(struct git_lfs_store *s);

/* Set o->is_here. Whatever is found is read through, and its time says that it was used. */
int git_lfs_store_look(const struct git_lfs_store *s, struct git_lfs_object *o, struct err *err);

/* A file to download into, which ends with the run; *path is owned by the caller. */
int git_lfs_store_begin(const struct git_lfs_store *s, int *fd, char **path, struct err *err);
/* Give what was downloaded there, and found to be right, its name in the store. */
int git_lfs_store_add(const struct git_lfs_store *s, const char *path,
		      const struct git_lfs_object *o, struct err *err);

/*
 * Write the content, which is here, to the file of `p` below `root_fd`, whose folder is there and
 * whose name is not. No link is followed. Words: "git_unsafe_tree" (something stands in its place),
 * "disk_full", "storage", and those of exec_may_go_on().
 */
int git_lfs_store_write(const struct git_lfs_store *s, int root_fd, const struct git_pointer *p,
			int64_t time_s, struct err *err);

/* fs: files and folders, blocking. Paths are absolute unless said otherwise. Words: "disk_full" for
 * ENOSPC and EDQUOT, "storage" otherwise. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

struct stat;

int fs_mkdirs(const char *path, mode_t mode,
	      struct err *err); /* mkdir -p; existing ones are fine */
int fs_read(struct buf *out, const char *path,
	    struct err *err); /* up to out->limit: ERR_LIMIT "too_large" */
/* Temporary file beside it, fsync, rename, fsync of the folder. */
int fs_write_atomic(const char *path, struct str data, mode_t mode, struct err *err);
/* Write all of it to fd, over short writes and EINTR. */
int fs_write_all(int fd, struct str data, struct err *err);
/*
 * rm -rf, never following a symbolic link and never leaving the file system that `path` is on.
 * A missing path is success. Goes on after a failure and reports the first.
 */
int fs_remove_tree(const char *path, struct err *err);
int fs_remove_tree_at(int at, const char *path, struct err *err); /* `path` from the folder `at` */
int fs_free_bytes(const char *path, uint64_t *out, struct err *err);
bool fs_exists(const char *path); /* also a link that leads nowhere */
/* May only the owner read it? A credential that systemd granted to this service also counts. */
bool fs_is_private(const char *path, const struct stat *st);
/* Folder of the running program, for finding the others beside it. Owned by the caller. */
char *fs_program_dir(void);
/* "a/b" under base: joined with one slash. Owned by the caller. */
char *fs_join(const char *base, const char *relative);

/*
 * Take an exclusive flock on `path` (made 0600 if missing) without waiting; the fd (close-on-exec)
 * is the lock. ERR_CONFLICT "locked" when somebody else holds it; the file's first line is then in
 * *holder if that is not NULL (owned by the caller).
 */
int fs_lock(int *out_fd, const char *path, char **holder, struct err *err);

/* Set *err from errno: "cannot DOING PATH: reason", with the words above. Returns -1. */
int fs_fail(struct err *err, const char *doing, const char *path);

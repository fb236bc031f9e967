/*
 * git_folder: the folder that a walk is in, opened or made when something is first done in it, so
 * that a folder that is only passed costs nothing and one that stays empty is not made.
 *
 *   struct git_folder inner = { .up = &outer, .name = "src", .fd = -1 };
 *   git_folder_make(&inner, err); openat(inner.fd, …); inner.changed = true;
 *   git_folder_leave(&inner, time_s);
 *
 * Every step is taken from an open folder by one name: no link is followed.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

struct git_folder {
	struct git_folder *up; /* where it lies; NULL: it is the root, and open */
	const char *name;      /* in `up`; borrowed */
	int fd;                /* -1: not opened yet */
	bool changed;          /* something in it was made or removed */
	bool awaits;           /* something is put into it later: it stays, even if empty */
};

/* Open it; make it, and those above it, where it is missing. "disk_full", "storage". */
int git_folder_make(struct git_folder *f, struct err *err);
/* Open it; where it is missing, fd stays -1, which is no failure. */
int git_folder_find(struct git_folder *f, struct err *err);
/* Close it. What changed gets a new time, which is set last: what is put into a folder moves it. */
void git_folder_leave(struct git_folder *f, int64_t time_s);

/*
 * Remove what is called `name`, a folder with everything in it; missing is fine. A file that is
 * replaced is removed and made new, never written to: a build may hold the old one open.
 */
int git_folder_remove(struct git_folder *f, const char *name, struct err *err);
/* Remove the folder itself if nothing is in it nor will be. To be left (git_folder_leave) all the
 * same. */
int git_folder_remove_if_empty(struct git_folder *f, struct err *err);

/* Make a file or a link that does not exist. "git_unsafe_tree" when it does. */
int git_folder_add_file(struct git_folder *f, const char *name, struct str content, bool executable,
			int64_t time_s, struct err *err);
int git_folder_add_link(struct git_folder *f, const char *name, struct str target, int64_t time_s,
			struct err *err);

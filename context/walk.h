/*
 * walk: a local folder through the eyes of its ignore rules. Entries come sorted by name, folders
 * before what is in them. Symbolic links are entries, and never followed; nothing outside of the
 * folder is touched.
 */
#pragma once
#include <sys/stat.h>

#include "context/ignore.h"

struct walk_entry {
	struct str path; /* relative, borrowed for the call */
	struct stat st;
	int parent_fd;    /* its folder, for openat() */
	const char *name; /* in it */
	struct ignore_verdict verdict;
};

struct walk_opts {
	const struct ignore *rules; /* or NULL */
	bool all; /* go into ignored folders although nothing below them can be kept */
	/* -1 with *err set stops the walk. */
	int (*entry)(const struct walk_entry *entry, void *data, struct err *err);
	void *data;
};

enum { WALK_DEPTH_MAX = 128 };

/* Words: "context_unreadable", "context_too_deep". */
int walk_folder(int fd, const struct walk_opts *opts, struct err *err);

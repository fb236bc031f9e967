/*
 * git_left: what writing a tree leaves to be brought from elsewhere: the content of Git LFS
 * pointers, and submodules. The folder of each is there already, its content is not.
 */
#pragma once
#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

struct git_pointer {
	char *path;               /* from the root of the context; owned */
	unsigned char sha256[32]; /* of the content */
	int64_t size;             /* bytes, as the pointer says */
	bool executable;
	bool extended; /* was made by an extension of Git LFS, which only git-lfs can run */
};

struct git_gitlink {
	char *path;     /* from the root of the context; owned */
	git_oid commit; /* of the other repository */
	git_oid before; /* what the folder holds now; zero: nothing, it is empty */
};

struct git_left {
	struct git_pointer *pointers;
	size_t pointers_len;
	struct git_gitlink *gitlinks;
	size_t gitlinks_len;
};

/*
 * Is this the content of a pointer (git-lfs/docs/spec.md)? Then all but path and executable is set
 * in *out. What only looks like one is an ordinary file.
 */
bool git_pointer_read(struct git_pointer *out, struct str content);

void git_left_add_pointer(struct git_left *left, const struct git_pointer *p); /* takes p->path */
void git_left_add_gitlink(struct git_left *left, const struct git_gitlink *l); /* takes l->path */
void git_left_release(struct git_left *left);

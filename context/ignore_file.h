/*
 * ignore_file: which ignore file a build uses: <Dockerfile>.dockerignore beside the Dockerfile,
 * else .dockerignore at the context's root; the first replaces the other, as docker has it.
 */
#pragma once
#include "context/ignore.h"

/*
 * `dockerfile` is relative to the context's folder, or absolute when it lies elsewhere (the command
 * line only). *out is NULL when there is no ignore file; *name (the caller's) is the path of the
 * one that counts, or NULL.
 *
 * Nothing outside of the folder is read, and symbolic links are not followed. Words:
 * "ignore_invalid" (a folder, a pipe, a link, something huge), and those of ignore_read().
 */
int ignore_load(struct ignore **out, char **name, int context_fd, const char *dockerfile,
		const struct ignore_limits *limits, struct err *err);

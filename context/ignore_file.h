/* ignore_file: which ignore file a build uses: <Dockerfile>.dockerignore beside the Dockerfile,
 * else .dockerignore at the context's root; it replaces the other, as docker has it. */
#pragma once
#include "context/ignore.h"

/*
 * *out is NULL when there is none; *name (the caller's) is the path of the one that counts,
 * relative to the context, or NULL. Symbolic links are not followed. Words: "ignore_invalid" (a
 * folder, a device, …), and those of ignore_read().
 */
int ignore_load(struct ignore **out, char **name, int context_fd, const char *dockerfile,
		const struct ignore_limits *limits, struct err *err);

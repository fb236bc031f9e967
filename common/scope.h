/*
 * scope: cleanup attributes for blocking code. A variable so marked is ended when it leaves its
 * scope, on every path. Never for libuv handles: those end by close(cb).
 *
 *   cleanup_free char *path = xasprintf("%s/lock", dir);
 *   cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
 */
#pragma once
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/strvec.h"

static inline void scope_free(void *p)
{
	free(*(void **)p);
}
static inline void scope_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void scope_file(FILE **f)
{
	if (*f)
		fclose(*f);
}
static inline void scope_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}
static inline void scope_json(json_t **j)
{
	json_decref(*j);
}

#define cleanup_free   __attribute__((cleanup(scope_free)))
#define cleanup_fd     __attribute__((cleanup(scope_fd))) /* -1 is "none" */
#define cleanup_file   __attribute__((cleanup(scope_file)))
#define cleanup_dir    __attribute__((cleanup(scope_dir)))
#define cleanup_json   __attribute__((cleanup(scope_json)))
#define cleanup_buf    __attribute__((cleanup(buf_release)))
#define cleanup_strvec __attribute__((cleanup(strvec_release)))

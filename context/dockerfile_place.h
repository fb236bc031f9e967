/*
 * dockerfile_place: where the Dockerfile of a local folder is. Without -f it is the folder's
 * "Dockerfile". With -f it is relative to the current directory, as with docker and az; where
 * nothing has that name there, relative to the folder. It may lie outside of the folder, and need
 * not exist.
 */
#pragma once
#include "common/err.h"

struct dockerfile_place {
	char *inside; /* its path in the folder, cleaned; NULL when it lies elsewhere */
	char *path;   /* to open it with; absolute when it lies elsewhere */
};

/* `given` may be NULL. Word "context_missing" when the folder is none. */
int dockerfile_place_find(struct dockerfile_place *out, const char *folder, const char *given,
			  struct err *err);
void dockerfile_place_release(struct dockerfile_place *d);

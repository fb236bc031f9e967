/*
 * pack: a local folder as a gzip tar (pax), by its ignore rules, streamed out with bounded memory.
 * Owners are left out and entries sorted, so that the same folder gives the same archive.
 *
 * The Dockerfile must reach the service whatever the rules say, and may lie outside of the folder,
 * but COPY should not see it then. So when it is not among what was kept, it is put at the
 * archive's root as
 * ".slipway-dockerfile-<32 hex digits of its content>", and `dockerfile` of the result names that.
 * Whoever unpacks moves such a file out of the context before it builds (pack_is_dockerfile()).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"
#include "context/ignore.h"

struct pack_opts {
	const char *folder;
	const char *dockerfile; /* as given with -f: relative to the folder, or any path; NULL:
				   "Dockerfile" */
	struct ignore_limits limits;
	/* Takes the archive's bytes as they come; -1 with *err set breaks off. */
	int (*write)(struct str bytes, void *data, struct err *err);
	void *data;
};

struct packed {
	char *dockerfile; /* dockerFilePath for the request; the caller's */
	uint64_t entries, bytes;
	uint64_t skipped; /* sockets, pipes and devices, which no image can hold */
};

/* Words: "context_missing", "context_unreadable", "context_changed", "dockerfile_missing",
 * "name_invalid", ignore_*. */
int pack_folder(struct packed *out, const struct pack_opts *opts, struct err *err);

/* Is this dockerFilePath one that pack_folder() made up? */
bool pack_is_dockerfile(const char *path);

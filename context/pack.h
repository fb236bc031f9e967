/*
 * pack: a local folder as a gzip tar (pax), by its ignore rules, streamed out with bounded memory.
 * Owners are left out and entries sorted, so that the same folder gives the same archive.
 *
 * The Dockerfile must reach the service whatever the rules say, and may lie outside of the folder,
 * but COPY should not see it then. So when it is not among what was kept, it is put at the
 * archive's root as ".slipway-dockerfile-<32 hex digits of its content>", and `dockerfile` of the
 * result names that. Whoever unpacks
 *   - moves such a file out of the context before it builds (pack_is_dockerfile()), and
 *   - applies no ignore file then: the archive is what the rules left, and the ignore file that
 *     counted may not be in it. (The same name is used when another ignore file than the one that
 *     counted would be found in the archive.)
 * In all other cases the ignore file that would be found is the one that counted, so that applying
 * it once more changes nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"
#include "context/ignore.h"

struct pack_opts {
	const char *folder;
	const char *dockerfile; /* as given with -f (dockerfile_place.h), or NULL */
	struct ignore_limits limits;
	/* Takes the archive's bytes as they come; -1 with *err set breaks off. */
	int (*write)(struct str bytes, void *data, struct err *err);
	void *data;
};

struct packed {
	char *dockerfile; /* dockerFilePath for the request; the caller's */
	uint64_t entries, bytes;
	uint64_t skipped;  /* sockets, pipes and devices, which no image can hold */
	uint64_t vanished; /* files that were gone when their turn came */
};

/*
 * Words: "context_missing", "context_unreadable", "context_changed" (a file was written to while it
 * was packed), "context_too_deep", "dockerfile_missing", "dockerfile_limit", "name_invalid",
 * ignore_*. What can be told from the Dockerfile and the ignore file is told before the first
 * write().
 */
int pack_folder(struct packed *out, const struct pack_opts *opts, struct err *err);

/* Is this dockerFilePath one that pack_folder() made up? */
bool pack_is_dockerfile(const char *path);

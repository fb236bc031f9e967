/*
 * unpack: a source archive (tar; plain, gzip or zstd) into a folder, as if a stranger had sent it.
 * Nothing is written outside of the folder or through a link; modes become 0755 or 0644; owners and
 * attributes are dropped; links stay inside. Accepted are the habits of az's client: a folder
 * without a name, an entry that comes twice (the last one counts), missing parents
 * (reference/acr-wire.md, section 6.2).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct unpack_opts {
	int64_t expanded_bytes; /* 2 GiB */
	int64_t ratio;          /* expanded to compressed: 200 */
	int64_t entries;        /* 200,000 */
	/* Called again and again; -1 with *err set breaks off. May be NULL. */
	int (*may_go_on)(void *data, struct err *err);
	void *data;
};

/*
 * `fd` is read from where it stands; `folder` exists and is empty. Words: "tar_unsafe",
 * "tar_too_large", "tar_too_many", "tar_bad", "disk_full", "storage".
 */
int unpack_archive(int fd, const char *folder, const struct unpack_opts *opts, struct err *err);

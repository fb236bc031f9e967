/*
 * git_fetch: bring exactly one commit of a remote repository into its mirror, without its history.
 */
#pragma once
#include <git2/oid.h>
#include <stdint.h>

#include "common/err.h"

struct git_mirror;
struct git_server;

struct git_wanted {
	const char *url;    /* http or https, without credentials */
	const char *ref;    /* as the context says it: full, short or abbreviated; NULL: HEAD */
	const char *commit; /* the exact commit of an event, or NULL */
};

struct git_found {
	git_oid commit;
	char *ref; /* full name of the ref that was meant, or NULL when a commit id was; owned */
};

/*
 * What a ref text means, in this order: the name as it is, refs/heads/NAME, refs/tags/NAME,
 * refs/NAME (so "pull/7/head" works), a whole commit id, the beginning of one. Without a ref the
 * server's HEAD. With a commit, that commit, also when its branch has moved on since.
 *
 * A failure of the network is tried again twice. Words: those of git_server.h and git_pack.h, and
 * "ref_not_found", "ref_invalid" (an abbreviation that is ambiguous), "commit_gone", and
 * "dockerfile_missing" for a repository without any commit.
 */
int git_fetch(struct git_found *out, struct git_mirror *mirror, struct git_server *server,
	      const struct git_wanted *wanted, struct err *err);

/* Options of libgit2 that hold for the whole process. */
void git_fetch_configure(int64_t pack_objects, int64_t object_bytes);

/*
 * git_lfs_batch: what is asked of a Git LFS server's batch API and what it answers, as text
 * (git-lfs/docs/api/batch.md, basic-transfers.md). Pure: the network is git_lfs_server.h's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/err.h"
#include "common/str.h"
#include "common/strvec.h"

enum { GIT_LFS_BATCH_MAX = 100 }; /* objects of a request: what git-lfs asks for at once */

/* One content, however many files want it. */
struct git_lfs_object {
	unsigned char sha256[SHA256_BYTES]; /* its id */
	int64_t size;                       /* bytes, as the pointers say */
	const char *path;                   /* of a file that wants it, for messages; borrowed */
	bool is_here;                       /* in the store, and undamaged */

	/* Where to get it, from the latest answer. May hold secrets: never shown. */
	char *href;            /* NULL: no answer yet; owned, as it came */
	struct strvec headers; /* "Name: value" to send along */
	bool is_authorized;    /* one of them is Authorization */
	int64_t expires_ms;    /* wall clock; INT64_MAX: not said */
};

void git_lfs_object_release(struct git_lfs_object *o); /* wipes what may be secret */

/*
 * The body of a request to download; owned by the caller. `ref` is the full name of the ref that
 * is being built, or NULL.
 */
char *git_lfs_batch_request(struct git_lfs_object *const *objects, size_t len, const char *ref);

/*
 * Read the answer: every one of `objects` (in the order of their ids) then has a href. What the
 * server tells of others is passed over. Words: "git_lfs" (it does not have one of them, or refuses
 * it: the message names file and id), "git_auth", "git_network" (an object error of the kind that
 * passes), "git_protocol" (no such answer).
 */
int git_lfs_batch_read(struct git_lfs_object *const *objects, size_t len, struct str answer,
		       int64_t now_ms, struct err *err);

/* The "message" of an error answer, or NULL; owned by the caller. */
char *git_lfs_batch_message(struct str answer);

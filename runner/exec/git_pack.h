/*
 * git_pack: ask a server for commits, and add the pack that it sends to a mirror. One exchange, in
 * protocol version 0 (gitprotocol-pack(5)) or 2 (gitprotocol-v2(5)): we say at once all that we
 * have, and that we are done.
 */
#pragma once
#include <git2/oid.h>
#include <git2/repository.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_pkt.h"

struct git_advert;
struct git_mirror;
struct git_server;

enum { GIT_DEPTH_ALL = 0x7fffffff };

/* Ids, in the order in which they were added. */
struct git_oids {
	git_oid *items;
	size_t len, cap;
};

void git_oids_add(struct git_oids *v, const git_oid *id);
bool git_oids_have(const struct git_oids *v, const git_oid *id);
void git_oids_remove(struct git_oids *v, const git_oid *id);
void git_oids_release(struct git_oids *v);

struct git_pack_wanted {
	struct git_oids ids;
	int depth;         /* 1: these commits without their parents; GIT_DEPTH_ALL */
	bool commits_only; /* no folders and no files, where the server can leave them out */
};

struct git_pack_received {
	int64_t bytes, objects;
};

/*
 * What the mirror says it has (git_mirror.h) is left out of the pack, and its list of commits
 * without parents is brought up to date. The caller looks whether what it wanted has come.
 *
 * Words: git_server_post()'s; "git_refused" (the server does not give one of these; nothing came),
 * "git_bad_pack", "git_too_large", "disk_full", "storage".
 */
int git_pack_fetch(struct git_pack_received *out, struct git_mirror *mirror,
		   struct git_server *server, const struct git_advert *advert,
		   const struct git_pack_wanted *wanted, struct err *err);

/* ---- the reading of an answer, by itself ---- */

struct git_pack_sink {
	int (*pack)(void *data, struct str bytes, struct err *err);
	void (*message)(void *data, struct str text); /* of the server, for people; or NULL */
	void *data;
	struct git_oids shallow, unshallow; /* filled in */
};

/* Reads an answer to the end of its pack. Words: as above. */
int git_pack_read(struct git_pack_sink *sink, struct git_pkt_reader *lines, struct err *err);

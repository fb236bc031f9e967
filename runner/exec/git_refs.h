/*
 * git_refs: what a server says about itself and about its refs, in protocol versions 0, 1
 * (gitprotocol-pack(5)) and 2 (gitprotocol-v2(5)).
 */
#pragma once
#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/str.h"
#include "runner/exec/git_pkt.h"

struct git_ref {
	char *name;   /* full: "refs/heads/main", or "HEAD"; owned */
	char *target; /* of a symbolic one, or NULL; owned */
	git_oid id;   /* of what it points at: a commit, or an annotated tag */
};

struct git_refs {
	struct git_ref *items;
	size_t len, cap;
};

struct git_advert {
	bool v2;
	bool shallow;   /* histories may be cut off */
	bool filter;    /* objects may be left out */
	bool any_want;  /* any commit may be asked for, not only what a ref points at */
	bool is_git;    /* the program is git's own: what it does not give, it does not have */
	bool side_band; /* packs come in lines, with messages beside them */
	bool thin_pack, ofs_delta;
	bool multi_ack, multi_ack_detailed; /* Azure Repos answers only who asks for one of them */
	struct git_refs refs;               /* versions 0 and 1 only; without peeled tags */
};

/*
 * Reads an advertisement to its end. Words: "git_protocol" (also for a repository with SHA-256
 * ids), "git_too_large" (64 MiB in all, or a name of over 4 KiB), and git_pkt_read()'s.
 */
int git_advert_read(struct git_advert *out, struct git_pkt_reader *lines, struct err *err);
void git_advert_release(struct git_advert *a);

/* Version 2: a request for the refs that begin with one of these, and the reading of the answer. */
void git_refs_request(struct buf *out, const char *const *prefixes, size_t len);
int git_refs_read(struct git_refs *out, struct git_pkt_reader *lines, struct err *err);
void git_refs_release(struct git_refs *refs);

/*
 * Which ref a text means: the name as it is, refs/heads/NAME, refs/tags/NAME, refs/NAME (so that
 * "pull/7/head" works). NULL when none.
 */
const struct git_ref *git_ref_find(const struct git_refs *refs, const char *text);

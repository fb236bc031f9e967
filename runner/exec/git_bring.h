/*
 * git_bring: one commit of a remote repository, brought into its mirror: policy, credential, lock,
 * fetch. For the repository of a run and for each submodule alike.
 *
 *   struct git_wanted wanted = { .url = …, .ref = … };
 *   struct git_brought got;
 *   if (git_bring(&got, x, &wanted, err) < 0) …
 *   git_tree_open(&tree, got.mirror.repo, &got.commit, "", err); …
 *   git_brought_release(&got);
 */
#pragma once
#include <git2/oid.h>
#include <git2/tree.h>
#include <stdint.h>

#include "common/err.h"
#include "runner/exec/git_credential.h"
#include "runner/exec/git_fetch.h"
#include "runner/exec/git_mirror.h"

struct exec;

struct git_brought {
	char *url;                        /* as it was asked for; owned */
	struct git_credential credential; /* what it was fetched with */
	struct git_mirror mirror;         /* locked shared until it is released */
	git_oid commit;
	char *ref;      /* full name of the ref that was meant, or NULL when a commit id was */
	int64_t time_s; /* of the commit, since 1970 */
};

/*
 * Words: those of policy_check_url() and policy_check_ref(), git_credential_find(),
 * git_mirror_open() and git_fetch().
 */
int git_bring(struct git_brought *out, struct exec *x, const struct git_wanted *wanted,
	      struct err *err);
/* After "git_bad_object": throw the damaged mirror away, and fetch all of it once more. */
int git_bring_again(struct git_brought *b, struct exec *x, const struct git_wanted *wanted,
		    struct err *err);
void git_brought_release(struct git_brought *b); /* accepts a zeroed one */

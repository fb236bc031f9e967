/*
 * checkout: a folder, kept from run to run, that holds the files of a repository, so that the next
 * commit needs only what changed. Runs at the same time get a slot each.
 *
 *   data_dir/git/<key>.checkouts/<name>.lock    held (flock) for the whole life of a run
 *   data_dir/git/<key>.checkouts/<name>/state   what files/ holds; missing while that is written
 *   data_dir/git/<key>.checkouts/<name>/files/
 *
 *   struct checkout *c;
 *   if (checkout_open(&c, &wanted, err) < 0) …         c->known: c->tree is what it holds
 *   checkout_begin(c, err) or checkout_empty(c, err);
 *   … write below c->files_fd …
 *   checkout_done(c, &commit, &tree, &tally);
 *   … the run …
 *   checkout_close(c);
 *
 * It is a cache, nothing is synced: a state of another boot is not trusted, and one that is
 * missing means that a run was killed while it wrote. Whoever removes a slot takes its lock first.
 */
#pragma once
#include <git2/oid.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"
#include "runner/exec/git_tally.h"

struct checkout {
	char *path;  /* of the slot */
	char *files; /* path/files */
	char *rules; /* as wanted */
	int lock_fd, files_fd;
	bool known; /* what files/ holds: */
	git_oid commit, tree;
	struct git_tally tally;
};

struct checkout_wanted {
	const char *mirror; /* path; the checkouts lie beside it */
	struct str name;    /* what tells its folders apart, any text */
	struct str rules;   /* all that decides what is written for a tree, any text */
};

/*
 * The first slot that no other run holds. ERR_LIMIT "checkouts_taken" when there are too many
 * runs; "disk_full", "storage".
 */
int checkout_open(struct checkout **out, const struct checkout_wanted *wanted, struct err *err);
void checkout_close(struct checkout *c); /* accepts NULL */

/* Before files are touched: from now on nobody knows what it holds. */
int checkout_begin(struct checkout *c, struct err *err);
/* The same, and remove what it holds. */
int checkout_empty(struct checkout *c, struct err *err);
/*
 * All is written. When this cannot be noted, the next run writes all of it again, which is no
 * reason for this one to fail.
 */
void checkout_done(struct checkout *c, const git_oid *commit, const git_oid *tree,
		   const struct git_tally *tally);

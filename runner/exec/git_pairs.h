/*
 * git_pairs: two trees side by side: what differs between them, name by name.
 *
 *   struct git_pairs pairs;
 *   struct git_pair pair;
 *   if (git_pairs_open(&pairs, before, after, err) < 0) …
 *   while (git_pairs_next(&pairs, &pair)) …
 *   git_pairs_close(&pairs);
 *
 * Names are compared byte by byte, not in git's order, in which a file and a folder of one name
 * stand apart; and a hostile tree need not be in any order.
 */
#pragma once
#include <git2/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* The entries of one name, borrowed from their trees. One of them may be NULL, never both. */
struct git_pair {
	const char *name;
	const git_tree_entry *before, *after;
};

struct git_entries {
	const git_tree_entry **list; /* owned; the entries are the tree's */
	size_t len, next;
};

struct git_pairs {
	struct git_entries before, after;
};

/* Either tree may be NULL: an empty one. "git_unsafe_tree" when two entries have one name. */
int git_pairs_open(struct git_pairs *out, const git_tree *before, const git_tree *after,
		   struct err *err);
/* The next name whose entries differ in id or mode; false when there is none any more. */
bool git_pairs_next(struct git_pairs *pairs, struct git_pair *out);
void git_pairs_close(struct git_pairs *pairs);

/* Of an entry that may be NULL. */
bool git_entry_is_folder(const git_tree_entry *entry);
bool git_entry_is_gitlink(const git_tree_entry *entry);

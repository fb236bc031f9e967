/*
 * tidy_refs: which commits a mirror still remembers, and where their history is cut off.
 */
#pragma once
#include <git2/repository.h>
#include <stdint.h>

#include "common/err.h"

/*
 * Drop the refs below refs/slipway/ whose files were not written since `before_ms` (since 1970);
 * the newest fifty stay in any case. Their commits are what a server is told that we have: without
 * them the next fetch brings more than it would need to, and is no less right. Word "storage".
 */
int tidy_refs_drop_old(git_repository *repo, int64_t before_ms, struct err *err);

/*
 * The file "shallow" (gitrepository-layout(5)). Before objects are removed: commits that refs point
 * at and whose parents are not in `left` are noted there. After that: what is not in `left` itself
 * is struck from it. A mirror without the file holds whole histories, and gets none. Words:
 * "storage", "disk_full", "git_bad_object".
 */
int tidy_shallow_note(git_repository *repo, git_odb *left, struct err *err);
int tidy_shallow_strike(git_repository *repo, git_odb *left, struct err *err);

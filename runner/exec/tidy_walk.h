/*
 * tidy_walk: every object that a mirror's refs reach and that it has, once each.
 *
 *   struct tidy_oids tips = { 0 };
 *   tidy_walk_tips(&tips, repo, err);
 *   tidy_walk(repo, &tips, visit, data, err);
 *
 * In a shallow mirror the parents of a commit are not looked for. What is missing is passed over:
 * a mirror with holes does not get better by being walked.
 */
#pragma once
#include <git2/oid.h>
#include <git2/repository.h>

#include "common/err.h"
#include "runner/exec/tidy_oids.h"

/* What the refs point at. Words: "git_bad_object". */
int tidy_walk_tips(struct tidy_oids *out, git_repository *repo, struct err *err);

/* `name`: of the entry in its folder, or NULL. Not 0 ends the walk, with *err set by it. */
typedef int tidy_visit(const git_oid *id, const char *name, void *data, struct err *err);

/* Words: "git_bad_object", and those of `visit`. */
int tidy_walk(git_repository *repo, const struct tidy_oids *tips, tidy_visit *visit, void *data,
	      struct err *err);

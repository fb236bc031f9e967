/*
 * tidy: keep data_dir/git within its budget: `slipway-runner tidy`.
 *
 *   <key>/              a mirror (git_mirror.h)
 *   <key>.lock          held (flock) while it is used; its time is that of the last use
 *   <key>.checkouts/    <slot>/ and <slot>.lock, held for the life of a run (checkout.h)
 *   <key>.lfs/          aa/<id>: the content of Git LFS files; their time is that of the last use
 *   <key>.gone-…        what an earlier tidying has taken away, and had no time to remove
 *   <key>.fresh-…       the pack that an earlier one was writing
 *   .tidy.lock          held by the one tidying that is under way
 *
 * What a run uses is never touched. It may be killed at any moment: everything is renamed before
 * it is removed, and a new pack is there before the ones that it replaces go.
 */
#pragma once
#include "runner/contract/tidy.h"

/* Writes its answer to standard output. Returns the exit code of the program. */
int tidy_main(const struct tidy_order *order);

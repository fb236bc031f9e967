/*
 * tidy: has what runs keep of repositories (mirrors, checkouts, LFS files) kept within
 * retention.git_bytes: `slipway-runner tidy`, one at a time, at the lowest priority. A minute after
 * the start, every hour, after runs (they fetch), and when the disk has become short.
 *
 * Loop thread only; nothing blocks.
 */
#pragma once
#include "common/err.h"
#include "runner/contract/tidy.h"

struct app;
struct tidy;

/* `program`: the runner, copied. */
struct tidy *tidy_create(struct app *app, const char *program);
/* One under way is killed, which it stands; `closed` is called when it is gone. */
void tidy_close(struct tidy *t, void (*closed)(void *data), void *data);

/* A run has ended. NULL is fine here, and below. */
void tidy_after_run(struct tidy *t);
/* No work is accepted, for want of room. */
void tidy_for_room(struct tidy *t);

/* What it answered last; zeroes before that. */
const struct tidy_answer *tidy_last(const struct tidy *t);

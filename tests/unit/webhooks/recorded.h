/*
 * recorded: deliveries whose bodies are files of tests/fixtures/, and what a provider reads in one
 * as text that a test can compare.
 */
#pragma once
#include "tests/lib/saved_request.h"

/* The file tests/fixtures/<name>.json with changes (edit.h). */
void recorded_body(struct buf *out, const char *name, const char *edits);

/*
 * What it says, owned by the caller: a line an event, or why it is refused.
 *
 *   "push refs/heads/main 95790bf..da15608 of HOST/PATH by ada: Fix the readme"
 *   "pull request 7 opened: refs/heads/topic -> refs/heads/main, refs/pull/7/head at da15608 of
 *    HOST/PATH by ada"
 *   "other pipeline", "bad_payload: ref: want a string"
 *
 * and "(created)", "(deleted)", "(skip)", "(draft)", "(fork)" behind them.
 */
char *recorded_says(const struct provider *provider, const struct saved_request *r);

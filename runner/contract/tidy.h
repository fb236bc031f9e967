/*
 * tidy: what `slipway-runner tidy` is told on standard input, and the one line that it answers.
 *
 *   struct tidy_order order = { .data_dir = …, .git_bytes = …, .min_free_bytes = … };
 *   json_t *document = tidy_order_to_json(&order);        server ──► runner
 *   tidy_answer_from_json(&answer, line, err);            server ◄── runner
 */
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "common/err.h"

struct tidy_order {
	char *data_dir;         /* absolute; what is tidied is data_dir/git */
	int64_t git_bytes;      /* that all of it may take */
	int64_t min_free_bytes; /* that the file system must have left; 0: whatever it has */
};

json_t *tidy_order_to_json(const struct tidy_order *o);
/* Word "spec_invalid". */
int tidy_order_from_json(struct tidy_order *out, const json_t *object, struct err *err);
void tidy_order_release(struct tidy_order *o);

struct tidy_answer {
	int64_t mirrors, bytes; /* what there is now; bytes are those of blocks on the disk */
	int64_t removed;        /* mirrors, kept checkouts and LFS files */
	int64_t freed_bytes;
	int64_t busy; /* that would have been removed, and are in use */
	int64_t repacked;
	char *problem; /* the first thing that went wrong, for people, or NULL; owned */
};

json_t *tidy_answer_to_json(const struct tidy_answer *a);
/* Word "spec_invalid". */
int tidy_answer_from_json(struct tidy_answer *out, const json_t *object, struct err *err);
void tidy_answer_release(struct tidy_answer *a);

/* record: one resource for people: "name  value" lines, as `task show-run` prints it on a terminal.
 */
#pragma once
#include <jansson.h>

#include "common/buf.h"

/* A run (lifted): what it is, where it stands, its steps and images, and why it failed. */
void record_add_run(struct buf *out, const json_t *run);
/* "name  value" of one line, and nothing when there is no value. */
void record_add_line(struct buf *out, const char *name, const char *value);
/* "registry/repository:tag@digest" of one of its outputImages. */
void record_add_image(struct buf *out, const json_t *image);

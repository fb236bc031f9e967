/* record: one resource for people: "name  value" lines, as `task show-run` prints it on a terminal.
 */
#pragma once
#include <jansson.h>

/* A run: what it is, where it stands, its steps and images, and why it failed. */
void record_print_run(const json_t *run);

/*
 * source: the file that a configuration is being read from, and places in it. Internal to config/.
 *
 * A path such as "registries[1].name" is both what the message says and how the place is found.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/yaml.h"

struct source {
	const char *file;             /* for messages; NULL: there is no file, only defaults */
	char *folder;                 /* that the file is in */
	bool is_private;              /* only its owner may read it */
	const struct yaml_node *root; /* or NULL */
};

/*
 * Put "FILE:LINE:COLUMN: PATH" before the message: where the value of `path` is, or of the nearest
 * thing around it that is in the file. Returns -1.
 */
int source_locate(const struct source *s, const char *path, struct err *err);

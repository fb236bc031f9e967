/* read: from the file's tree to the values, by the table. Internal to config/. */
#pragma once
#include "config/config.h"
#include "config/source.h"

/*
 * Read all keys of s->root, defaults for those that are not there; without a root only defaults.
 * *out is zeroed by the caller, and released by it also on failure.
 */
int config_read(struct config *out, const struct source *s, struct err *err);

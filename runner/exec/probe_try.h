/*
 * probe_try: find out what works by doing it, in a store of its own below data_dir/engine/probe.
 * Called under the probe's lock (probe.c); takes one to three seconds.
 */
#pragma once
#include "runner/exec/probe.h"

int probe_try(struct choice *out, const struct spec *s, const struct exec *x, struct err *err);

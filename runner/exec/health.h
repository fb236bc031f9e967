/*
 * health: what a run needs, tried out for check-health: lines {"name","ok","message","hint"} on
 * standard output, one JSON object each. `hint` is there when it is not ok, or not as good as it
 * could be.
 */
#pragma once
#include "runner/contract/spec.h"

/* Returns the exit code of the program: 0 also when checks failed; the lines tell. */
int health_probe(const struct spec *spec);

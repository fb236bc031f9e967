/* specify: configuration and run become the specification that a runner is given. */
#pragma once
#include "runner/contract/spec.h"

struct app;
struct run;

/* launcher_opts.specify; `data` is the app. Contents of run->build are copied. */
int specify_run(struct spec *out, const struct run *run, void *data, struct err *err);
/* For check-health: engine, registries and limits, no build. */
int specify_probe(struct spec *out, struct app *app, struct err *err);

/*
 * settings: the configuration in force and what is made from it, replaced as a whole: either all
 * of a new file counts or none of it.
 */
#pragma once
#include "common/err.h"

struct app;
struct options;

/* Read the file for the first time; app->config and app->webhooks are set. */
int settings_load(struct app *app, const struct options *options, struct err *err);
/*
 * Read it again. On an error everything stays as it was. What only counts at the start (where to
 * listen, where data is kept, which registries there are) must not have changed: "config_restart".
 */
int settings_reload(struct app *app, const struct options *options, struct err *err);
void settings_release(struct app *app);

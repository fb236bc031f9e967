/* disk: is there room for new work? */
#pragma once
#include "common/err.h"

struct app;

/* ERR_UNAVAILABLE "disk_full" when less than retention.min_free_bytes is free below the data
 * folder; what runs keep of repositories is then tidied away. */
int disk_check_floor(const struct app *app, struct err *err);

/*
 * retention: once an hour, what nobody needs any more goes: runs that ended longer ago than
 * retention.runs_days (unless they are archived) with their directories, deliveries after 40 days,
 * and uploads that nobody has used for a day. Files are removed on the thread pool.
 */
#pragma once
#include <stdint.h>

struct app;
struct retention;

/* It looks for the first time after `first_ms`. */
struct retention *retention_create(struct app *app, int64_t first_ms);
/* `closed` is called when nothing of it is under way any more. */
void retention_close(struct retention *r, void (*closed)(void *data), void *data);

/*
 * retention: once an hour, what nobody needs any more goes: runs that ended longer ago than
 * retention.runs_days (unless they are archived) with their directories, deliveries after 40 days,
 * and uploads that no unfinished run wants after a day. Files are removed on the thread pool.
 */
#pragma once

struct app;
struct retention;

struct retention *retention_create(struct app *app);
/* `closed` is called when nothing of it is under way any more. */
void retention_close(struct retention *r, void (*closed)(void *data), void *data);

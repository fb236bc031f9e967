/* metrics: counters for /metrics (Prometheus text format). */
#pragma once
#include "common/buf.h"

struct app;
struct metrics;

struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *m);
void metrics_request(struct metrics *m); /* one HTTP request arrived */
/* "accepted", "known", "ignored", "refused", "unavailable" (webhooks/receive.h). */
void metrics_delivery(struct metrics *m, const char *verdict);
void metrics_reload_failed(struct metrics *m); /* a new configuration was refused */
void metrics_write(struct buf *out, const struct app *app);

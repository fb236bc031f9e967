/*
 * service: the parts of the server, how they are tied together, and how they come to their end.
 *
 *   RUNNING ──► DRAINING ──► CLOSING: http ─► retention ─► tidy ─► launcher ─► queue ──► DONE
 *      │  SIGTERM   │ answered, or too late, or a second SIGTERM ▲
 *      └────────────┴────────────────────────────────────────────┘
 *
 * service.c builds the parts from the bottom up, shutdown.c takes them down from the top. A start
 * that fails half-way ends by the same path: parts that do not exist are passed over. Runners are
 * not part of it: they go on.
 */
#pragma once
#include <uv.h>

#include "server/app.h"
#include "server/options.h"

struct err;
struct retention;
struct supervisor;

enum service_state { SERVICE_RUNNING, SERVICE_DRAINING, SERVICE_CLOSING, SERVICE_DONE };

struct service {
	struct app app;
	struct options options;
	uv_loop_t loop;
	enum service_state state;
	int lock_fd;
	char *data_dir;
	struct supervisor *supervisor;
	struct retention *retention;
	bool has_handles;
	uv_signal_t terminate, interrupt, hangup;
	uv_timer_t drain, beat;
	int64_t drain_until_ms;
};

/* Build everything and begin to serve. On failure what was built is still to be shut down. */
int service_start(struct service *s, const struct options *options, struct err *err);

/* shutdown.c: no new work, answers are finished, then everything is closed and the loop ends. */
void service_drain(struct service *s);
/* The same without waiting for answers. */
void service_close(struct service *s);

#include "server/supervisor.h"

#include <systemd/sd-daemon.h>
#include <uv.h>

#include "common/mem.h"

struct supervisor {
	uv_timer_t watchdog;
};

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	sd_notify(0, "WATCHDOG=1");
}

struct supervisor *supervisor_create(struct uv_loop_s *loop)
{
	struct supervisor *s = xnew(struct supervisor);
	uint64_t limit_us = 0;

	uv_timer_init(loop, &s->watchdog);
	s->watchdog.data = s;
	if (sd_watchdog_enabled(0, &limit_us) > 0)
		uv_timer_start(&s->watchdog, on_watchdog, 0, limit_us / 2000);
	return s;
}

void supervisor_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void supervisor_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void supervisor_destroy(struct supervisor *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->watchdog, on_closed);
}

int supervisor_sockets(int *first)
{
	*first = SD_LISTEN_FDS_START;
	return sd_listen_fds(1);
}

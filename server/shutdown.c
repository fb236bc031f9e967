/* shutdown: the way down from RUNNING, one part after the other (the drawing is in service.h). */
#include "common/clock.h"
#include "common/log.h"
#include "common/scope.h"
#include "queue/queue.h"
#include "runner/launch/launcher.h"
#include "server/http/http.h"
#include "server/log_follow.h"
#include "server/metrics.h"
#include "server/retention.h"
#include "server/service.h"
#include "server/settings.h"
#include "server/supervisor.h"
#include "server/tidy.h"

enum { DRAIN_MS = 30000, LOOK_MS = 50 };

/* ---- closing, from the top ---- */

static void finish(struct service *s)
{
	s->state = SERVICE_DONE;
	log_follow_destroy(s->app.logs);
	metrics_destroy(s->app.metrics);
	settings_release(&s->app);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->data_dir);
}

static void on_queue_closed(void *data)
{
	struct service *s = data;
	s->app.queue = NULL;
	finish(s);
}

static void on_launcher_closed(void *data)
{
	struct service *s = data;

	s->app.launcher = NULL;
	if (s->app.queue)
		queue_close(s->app.queue, on_queue_closed, s);
	else
		finish(s);
}

static void on_tidy_closed(void *data)
{
	struct service *s = data;

	s->app.tidy = NULL;
	if (s->app.launcher)
		launcher_close(s->app.launcher, on_launcher_closed, s);
	else
		on_launcher_closed(s);
}

static void on_retention_closed(void *data)
{
	struct service *s = data;

	s->retention = NULL;
	if (s->app.tidy)
		tidy_close(s->app.tidy, on_tidy_closed, s);
	else
		on_tidy_closed(s);
}

static void on_http_closed(void *data)
{
	struct service *s = (struct service *)data; /* begins with the app */

	s->app.http = NULL;
	if (s->retention)
		retention_close(s->retention, on_retention_closed, s);
	else
		on_retention_closed(s);
}

void service_close(struct service *s)
{
	if (s->state >= SERVICE_CLOSING)
		return;
	s->state = SERVICE_CLOSING;
	if (s->has_handles) {
		uv_close((uv_handle_t *)&s->terminate, NULL);
		uv_close((uv_handle_t *)&s->interrupt, NULL);
		uv_close((uv_handle_t *)&s->hangup, NULL);
		uv_close((uv_handle_t *)&s->drain, NULL);
		uv_close((uv_handle_t *)&s->beat, NULL);
	}
	supervisor_destroy(s->supervisor);
	if (s->app.http)
		http_server_close(s->app.http, on_http_closed);
	else
		on_http_closed(&s->app);
}

/* ---- draining ---- */

static void on_drained(void *app)
{
	service_close((struct service *)app);
}

/* Whoever follows a live log would keep us for as long as a build: it resumes at the next server.
 */
static void on_look(uv_timer_t *timer)
{
	struct service *s = timer->data;

	if (s->app.requests <= log_follow_live(s->app.logs) ||
	    clock_monotonic_ms() >= s->drain_until_ms)
		service_close(s);
}

void service_drain(struct service *s)
{
	s->state = SERVICE_DRAINING;
	s->app.draining = true;
	log_info("service.draining", "requests=%zu runners=%d", s->app.requests,
		 launcher_running(s->app.launcher));
	supervisor_stopping();
	launcher_drain(s->app.launcher);
	s->drain_until_ms = clock_monotonic_ms() + DRAIN_MS;
	uv_timer_start(&s->drain, on_look, LOOK_MS, LOOK_MS);
	http_server_drain(s->app.http, on_drained);
}

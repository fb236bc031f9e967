#include "server/metrics.h"

#include <inttypes.h>

#include "common/clock.h"
#include "queue/queue.h"
#include "runner/launch/launcher.h"
#include "server/app.h"
#include "server/tidy.h"

static const char *const verdicts[] = { "accepted", "known", "ignored", "refused", "unavailable" };

struct metrics {
	uint64_t requests, reloads_failed;
	uint64_t deliveries[ARRAY_LEN(verdicts)];
};

struct metrics *metrics_create(void)
{
	return xnew(struct metrics);
}

void metrics_destroy(struct metrics *m)
{
	free(m);
}

void metrics_request(struct metrics *m)
{
	m->requests++;
}

void metrics_delivery(struct metrics *m, const char *verdict)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		if (strcmp(verdicts[i], verdict) == 0)
			m->deliveries[i]++;
	}
}

void metrics_reload_failed(struct metrics *m)
{
	m->reloads_failed++;
}

static void describe(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_tidy(struct buf *out, const struct tidy_answer *last)
{
	describe(out, "slipway_git_mirrors", "gauge",
		 "Mirrors of repositories, when last counted.");
	buf_addf(out, "slipway_git_mirrors %" PRId64 "\n", last->mirrors);
	describe(out, "slipway_git_bytes", "gauge",
		 "Bytes of mirrors, kept checkouts and LFS files, when last counted.");
	buf_addf(out, "slipway_git_bytes %" PRId64 "\n", last->bytes);
}

void metrics_write(struct buf *out, const struct app *app)
{
	const struct metrics *m = app->metrics;
	const struct queue_counts *counts = queue_counts(app->queue);
	int64_t age_ms = counts->oldest_queued_ms ? clock_now_ms() - counts->oldest_queued_ms : 0;

	describe(out, "slipway_http_requests_total", "counter", "HTTP requests received.");
	buf_addf(out, "slipway_http_requests_total %" PRIu64 "\n", m->requests);
	describe(out, "slipway_deliveries_total", "counter",
		 "Webhook deliveries by what became of them.");
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		buf_addf(out, "slipway_deliveries_total{verdict=\"%s\"} %" PRIu64 "\n", verdicts[i],
			 m->deliveries[i]);
	describe(out, "slipway_runs", "gauge", "Runs that have not ended, by status.");
	for (int s = 0; s < RUN_STATUSES; s++) {
		if (!run_status_is_terminal((enum run_status)s))
			buf_addf(out, "slipway_runs{status=\"%s\"} %" PRId64 "\n",
				 run_status_name((enum run_status)s), counts->runs[s]);
	}
	describe(out, "slipway_runs_ended_total", "counter",
		 "Runs that ended since the server started, by status.");
	for (int s = 0; s < RUN_STATUSES; s++) {
		if (run_status_is_terminal((enum run_status)s))
			buf_addf(out, "slipway_runs_ended_total{status=\"%s\"} %" PRId64 "\n",
				 run_status_name((enum run_status)s), counts->runs[s]);
	}
	describe(out, "slipway_queue_oldest_seconds", "gauge", "Age of the oldest queued run.");
	buf_addf(out, "slipway_queue_oldest_seconds %.3f\n", (double)age_ms / 1000);
	describe(out, "slipway_config_reload_failed_total", "counter",
		 "Configurations that SIGHUP found invalid.");
	buf_addf(out, "slipway_config_reload_failed_total %" PRIu64 "\n", m->reloads_failed);
	describe(out, "slipway_runners", "gauge", "Runners under way.");
	buf_addf(out, "slipway_runners %d\n", launcher_running(app->launcher));
	write_tidy(out, tidy_last(app->tidy));
}

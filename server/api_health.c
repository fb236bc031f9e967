/* GET /healthz, /readyz, /v1/health, /metrics, /v1/openapi.json */
#include <errno.h>

#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "runner/launch/launcher.h"
#include "server/api.h"
#include "server/disk.h"
#include "server/metrics.h"
#include "server/specify.h"

/* Alive: the loop turns. */
void api_healthz(struct call *c)
{
	call_respond(c, 200, json_pack("{s:s,s:s}", "status", "ok", "version", SLIPWAY_VERSION));
}

/* Can it accept work? Says why not. */
void api_readyz(struct call *c)
{
	json_t *reasons = json_array();
	struct err err = { 0 };

	if (c->app->draining)
		json_array_append_new(reasons, json_string("the service is stopping"));
	if (disk_check_floor(c->app, &err) < 0)
		json_array_append_new(reasons, json_string(err.msg));
	bool ready = json_array_size(reasons) == 0;
	if (!ready)
		http_reply_header(c->req, "Retry-After", "5");
	call_respond(c, ready ? 200 : 503,
		     json_pack("{s:s,s:o}", "status", ready ? "ready" : "not ready", "reasons",
			       reasons));
}

static void add_check(json_t *list, const char *name, bool ok, const char *message,
		      const char *hint)
{
	json_array_append_new(list, json_pack("{s:s,s:b,s:s,s:s}", "name", name, "ok", ok,
					      "message", message, "hint", hint));
}

/* The server's own parts; the rest is for the runner to say, which links what a run needs. */
static void add_own_checks(const struct app *app, json_t *list)
{
	struct err err = { 0 };
	cleanup_free char *runs =
		xasprintf("%d of %lld places taken, %lld queued", launcher_running(app->launcher),
			  (long long)app->config->max_running,
			  (long long)queue_counts(app->queue)->runs[RUN_QUEUED]);

	add_check(list, "service", true, "slipway " SLIPWAY_VERSION, "");
	if (access(app->data_dir, W_OK) == 0)
		add_check(list, "data folder", true, app->data_dir, "");
	else
		add_check(list, "data folder", false, strerror(errno),
			  "The service's user must be able to write to data_dir.");
	add_check(list, "queue", true, runs, "");
	if (disk_check_floor(app, &err) < 0)
		add_check(list, "disk", false, err.msg,
			  "Free space, or lower retention.min_free_bytes.");
	else
		add_check(list, "disk", true, "above the floor", "");
	if (app->webhooks_len == 0)
		add_check(list, "webhooks", true, "none configured: pushes start nothing",
			  "List one under 'webhooks' in the configuration.");
}

static void on_probe(const char *json_lines, const struct err *err, void *data)
{
	struct call *c = data;
	json_t *list = json_array();
	struct str rest = str_from(json_lines), line;

	add_own_checks(c->app, list);
	if (err)
		add_check(list, "runner", false, err->msg,
			  "slipway-runner should lie beside slipway-server.");
	while (str_split(&rest, '\n', &line)) {
		json_t *check = line.len ? json_loadb(line.ptr, line.len, 0, NULL) : NULL;
		if (json_is_object(check))
			json_array_append(list, check);
		json_decref(check);
	}
	json_t *answer = json_pack("{s:o}", "value", list);
	if (c->req)
		call_respond(c, 200, answer);
	else
		json_decref(answer);
	call_unref(c);
}

void api_health(struct call *c)
{
	struct spec spec = { 0 };
	struct err err = { 0 };

	if (specify_probe(&spec, c->app, &err) < 0)
		call_fail(c, &err);
	else
		launcher_probe(c->app->launcher, &spec, on_probe, call_ref(c));
	spec_release(&spec);
}

void api_metrics(struct call *c)
{
	cleanup_buf struct buf text = BUF_INIT;

	metrics_write(&text, c->app);
	http_respond(c->req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&text));
}

/* docs/openapi.json, put into the program by the build (openapi.S). */
extern const char openapi_begin[], openapi_end[];

void api_openapi(struct call *c)
{
	struct str text = { openapi_begin, (size_t)(openapi_end - openapi_begin) };
	http_respond(c->req, 200, "application/json; charset=utf-8", text);
}

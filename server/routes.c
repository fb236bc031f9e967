#include "server/routes.h"

#include "config/config.h"
#include "server/metrics.h"

#define REGISTRY "/v1/registries/{registry}"

const struct route routes[] = {
	{ "GET", "/healthz", api_healthz, RIGHT_NONE },
	{ "GET", "/readyz", api_readyz, RIGHT_NONE },
	{ "GET", "/metrics", api_metrics, RIGHT_LOCAL },
	{ "POST", "/webhooks/{name}", webhook_route, RIGHT_NONE },
	{ "GET", "/v1/openapi.json", api_openapi, RIGHT_NONE },
	{ "GET", "/v1/health", api_health, RIGHT_ADMIN },
	{ "GET", "/v1/registries", api_registries_list, RIGHT_ADMIN },
	{ "GET", "/v1/deliveries", api_deliveries_list, RIGHT_ADMIN },
	{ "POST", "/v1/deliveries/simulate", api_deliveries_simulate, RIGHT_ADMIN },
	{ "GET", "/v1/deliveries/{name}", api_deliveries_get, RIGHT_ADMIN },
	{ "POST", "/v1/deliveries/{name}/replay", api_deliveries_replay, RIGHT_ADMIN },
	{ "POST", REGISTRY "/scheduleRun", api_schedule_run, RIGHT_ADMIN },
	{ "POST", REGISTRY "/listBuildSourceUploadUrl", api_uploads_url, RIGHT_ADMIN },
	{ "PUT", "/v1/uploads/{name}", api_uploads_put, RIGHT_SIGNED },
	{ "GET", REGISTRY "/runs", api_runs_list, RIGHT_ADMIN },
	{ "POST", REGISTRY "/runs/cancel", api_runs_cancel_many, RIGHT_ADMIN },
	{ "GET", REGISTRY "/runs/{name}", api_runs_get, RIGHT_ADMIN },
	{ "PATCH", REGISTRY "/runs/{name}", api_runs_patch, RIGHT_ADMIN },
	{ "POST", REGISTRY "/runs/{name}/cancel", api_runs_cancel, RIGHT_ADMIN },
	{ "GET", REGISTRY "/runs/{name}/log", api_runs_log, RIGHT_ADMIN },
	{ "GET", REGISTRY "/tasks", api_tasks_list, RIGHT_ADMIN },
	{ "GET", REGISTRY "/tasks/{name}", api_tasks_get, RIGHT_ADMIN },
	{ "PUT", REGISTRY "/tasks/{name}", api_tasks_put, RIGHT_ADMIN },
	{ "DELETE", REGISTRY "/tasks/{name}", api_tasks_delete, RIGHT_ADMIN },
	{ "POST", REGISTRY "/tasks/{name}/listDetails", api_tasks_list_details, RIGHT_ADMIN },
	{ 0 },
};

/* Does the request's path have this shape? Fixed words win over {name} by standing first in the
 * table. */
static bool path_matches(const struct http_req *req, const char *pattern)
{
	struct str rest = str_after(str_from(pattern), 1), part;
	size_t i = 0, n = http_path_len(req);

	while (str_split(&rest, '/', &part)) {
		if (i >= n)
			return false;
		struct str segment = http_path_segment(req, i++);
		if (str_starts(part, "{") ? segment.len == 0 : !str_ieq(part, segment))
			return false;
	}
	return i == n;
}

/* HEAD is answered wherever GET is. */
static bool method_matches(struct str method, const char *wanted)
{
	return str_is(method, wanted) || (str_is(method, "HEAD") && strcmp(wanted, "GET") == 0);
}

/* The route, or NULL with the methods that the path does have in `allow`. */
static const struct route *find_route(const struct http_req *req, struct buf *allow)
{
	for (const struct route *r = routes; r->method; r++) {
		if (!path_matches(req, r->path))
			continue;
		if (method_matches(http_method(req), r->method))
			return r;
		buf_addf(allow, "%s%s%s", allow->len ? ", " : "", r->method,
			 strcmp(r->method, "GET") ? "" : ", HEAD");
	}
	return NULL;
}

/* Take {registry} and {name} out of the path. False: there is no such registry, and that was
 * answered. */
static bool bind_path(struct call *c, const struct route *route)
{
	struct str rest = str_after(str_from(route->path), 1), part;

	for (size_t i = 0; str_split(&rest, '/', &part); i++) {
		struct str segment = http_path_segment(c->req, i);
		if (str_is(part, "{name}"))
			c->name = str_dup(segment);
		if (!str_is(part, "{registry}"))
			continue;
		const struct config_registry *registry = config_registry(c->app->config, segment);
		if (!registry) {
			http_respond_error(c->req, 404, "not_found", "registry",
					   "there is no registry '%.*s'",
					   (int)(segment.len > 60 ? 60 : segment.len), segment.ptr);
			return false;
		}
		c->registry = xstrdup(registry->name);
		c->prefix = xasprintf("/v1/registries/%s", registry->name);
	}
	return true;
}

void routes_dispatch(struct http_req *req, void *data)
{
	struct app *app = data;
	struct buf allow = BUF_INIT;
	const struct route *route = find_route(req, &allow);

	metrics_request(app->metrics);
	if (!route && allow.len) {
		http_reply_header(req, "Allow", allow.ptr);
		http_respond_error(req, 405, "method", NULL, "this path allows %s", allow.ptr);
	} else if (!route) {
		/* Whoever may not look gets the same answer for what is there and what is not. */
		if (str_starts(http_path_raw(req), "/v1/") ? auth_allow(req, RIGHT_ADMIN) : true)
			http_respond_error(req, 404, "not_found", NULL,
					   "there is nothing at this path");
	} else if (auth_allow(req, route->right)) {
		struct call *c = call_create(app, req);
		if (bind_path(c, route))
			route->handler(c);
	}
	buf_release(&allow);
}

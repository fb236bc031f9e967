/* POST /runs/{id}/cancel and POST /runs/cancel */
#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "server/api.h"

static const char *const outcome_names[] = {
	[CANCEL_DONE] = "Canceled",           [CANCEL_ACCEPTED] = "Accepted",
	[CANCEL_ALREADY] = "AlreadyCanceled", [CANCEL_ENDED] = "AlreadyEnded",
	[CANCEL_UNKNOWN] = "NotFound",
};

static json_t *result_to_json(const struct cancel_result *r)
{
	json_t *object =
		json_pack("{s:s,s:s}", "runId", r->run_id, "outcome", outcome_names[r->outcome]);

	if (r->outcome != CANCEL_UNKNOWN)
		json_object_set_new(object, "status", json_string(run_status_name(r->status)));
	return object;
}

static void answer_one(struct call *c, const struct cancel_result *r)
{
	switch (r->outcome) {
	case CANCEL_DONE:
	case CANCEL_ACCEPTED: call_respond(c, 202, result_to_json(r)); break;
	case CANCEL_ALREADY: call_respond(c, 200, result_to_json(r)); break;
	case CANCEL_ENDED:
		http_respond_error(c->req, 409, "conflict", NULL, "run %s has ended already: %s",
				   r->run_id, run_status_name(r->status));
		break;
	case CANCEL_UNKNOWN:
		http_respond_error(c->req, 404, "not_found", NULL, "there is no run '%.60s'",
				   c->name);
		break;
	}
}

static void on_one(const struct cancel_result *results, size_t len, const struct err *err,
		   void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req && len == 1)
		answer_one(c, &results[0]);
	call_unref(c);
}

void api_runs_cancel(struct call *c)
{
	const char *id = c->name;
	queue_cancel(c->app->queue, c->registry, &id, 1, on_one, call_ref(c));
}

static void on_many(const struct cancel_result *results, size_t len, const struct err *err,
		    void *data)
{
	struct call *c = data;

	if (c->req && err) {
		call_fail(c, err);
	} else if (c->req) {
		json_t *list = json_array();
		for (size_t i = 0; i < len; i++)
			json_array_append_new(list, result_to_json(&results[i]));
		call_respond_list(c, list);
	}
	call_unref(c);
}

static void cancel_ids(struct call *c, const struct strvec *ids)
{
	if (ids->len > (size_t)c->app->config->limits.batch_ids) {
		http_respond_error(c->req, 413, "too_many", "runIds",
				   "runIds: %zu are too many for one call, want at most %lld",
				   ids->len, (long long)c->app->config->limits.batch_ids);
		return;
	}
	STRVEC_FOREACH (id, ids) {
		if (strlen(*id) >= RUN_ID_BYTES) {
			http_respond_error(c->req, 400, "bad_request", "runIds",
					   "runIds: '%.60s' is no run id", *id);
			return;
		}
	}
	if (ids->len == 0)
		call_respond_list(c, json_array());
	else
		queue_cancel(c->app->queue, c->registry, (const char *const *)ids->items, ids->len,
			     on_many, call_ref(c));
}

static void cancel_matching(struct call *c, const json_t *request)
{
	struct filter *filter = NULL;
	const char *text = NULL;
	bool dry_run = false;
	struct err err = { 0 };

	if (json_opt_string(request, "", "filter", &text, &err) < 0 ||
	    json_opt_bool(request, "", "dryRun", &dry_run, &err) < 0 ||
	    (text && *text && filter_parse(&filter, str_from(text), &err) < 0)) {
		call_fail(c, &err);
		return;
	}
	queue_cancel_matching(c->app->queue, c->registry, filter, dry_run, on_many, call_ref(c));
	filter_destroy(filter);
}

static void on_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	cleanup_json json_t *request = call_body_object(c, body);
	cleanup_strvec struct strvec ids = { 0 };
	struct err err = { 0 };

	(void)app;
	if (!request)
		return;
	bool by_ids = json_object_get(request, "runIds") != NULL,
	     by_filter = json_object_get(request, "filter") != NULL;
	if (by_ids == by_filter)
		http_respond_error(
			req, 400, "bad_request", NULL,
			"want either runIds or filter (an empty filter means all that have not ended)");
	else if (by_filter)
		cancel_matching(c, request);
	else if (json_opt_strings(request, "", "runIds", &ids, &err) < 0)
		call_fail(c, &err);
	else
		cancel_ids(c, &ids);
}

void api_runs_cancel_many(struct call *c)
{
	http_body_collect(c->req, (size_t)c->app->config->limits.api_body_bytes, on_body);
}

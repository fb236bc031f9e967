/* GET /v1/deliveries, GET /v1/deliveries/{id} */
#include "queue/queue.h"
#include "server/api.h"
#include "server/query.h"

enum { TOP_DEFAULT = 15, TOP_MAX = 1000 };

static void on_list(const struct delivery *deliveries, size_t len, const struct err *err,
		    void *data)
{
	struct call *c = data;

	if (c->req && err) {
		call_fail(c, err);
	} else if (c->req) {
		json_t *list = json_array();
		for (size_t i = 0; i < len; i++)
			json_array_append_new(list, delivery_to_json(&deliveries[i]));
		call_respond_list(c, list);
	}
	call_unref(c);
}

void api_deliveries_list(struct call *c)
{
	int64_t top = TOP_DEFAULT;
	struct err err = { 0 };

	if (query_number(c->req, "$top", 1, TOP_MAX, &top, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	queue_list_deliveries(c->app->queue, (size_t)top, on_list, call_ref(c));
}

static void on_one(const struct delivery *deliveries, size_t len, const struct err *err, void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req && len == 0)
		http_respond_error(c->req, 404, "not_found", NULL, "there is no such delivery");
	else if (c->req)
		call_respond(c, 200, delivery_to_json(&deliveries[0]));
	call_unref(c);
}

void api_deliveries_get(struct call *c)
{
	queue_get_delivery(c->app->queue, c->name, on_one, call_ref(c));
}

/* GET /v1/deliveries, GET /v1/deliveries/{id}, POST /v1/deliveries/{id}/replay */
#include "common/log.h"
#include "common/scope.h"
#include "queue/queue.h"
#include "server/api.h"
#include "server/query.h"
#include "webhooks/replay.h"

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

/* The one that came on ?webhook=, where it says one; else the newest. NULL: there is none. */
static const struct delivery *choose(const struct call *c, const struct delivery *deliveries,
				     size_t len, struct err *err)
{
	struct str webhook;

	if (!http_query(c->req, "webhook", &webhook))
		return deliveries;
	for (size_t i = 0; i < len; i++) {
		if (str_is(webhook, deliveries[i].webhook))
			return &deliveries[i];
	}
	err_set(err, ERR_NOTFOUND, "not_found", "there is no delivery '%.128s' on that webhook",
		c->name);
	return NULL;
}

static void on_one(const struct delivery *deliveries, size_t len, const struct err *err, void *data)
{
	struct call *c = data;
	struct err missing = { 0 };

	if (c->req && err) {
		call_fail(c, err);
	} else if (c->req) {
		const struct delivery *one = choose(c, deliveries, len, &missing);
		if (one)
			call_respond(c, 200, delivery_to_json(one));
		else
			call_fail(c, &missing);
	}
	call_unref(c);
}

void api_deliveries_get(struct call *c)
{
	queue_get_delivery(c->app->queue, c->name, on_one, call_ref(c));
}

/* ---- replay ---- */

static void on_replayed(enum accept_outcome outcome, const struct delivery *stored,
			const struct err *err, void *data)
{
	struct call *c = data;

	(void)outcome;
	if (!err)
		log_info("delivery", "webhook=%.63s delivery=%s replay_of=%.128s runs=%zu",
			 stored->webhook, stored->delivery_id, stored->replay_of, stored->runs.len);
	if (c->req && err)
		call_fail(c, err);
	else if (c->req)
		call_respond(c, stored->runs.len ? 202 : 200, delivery_to_json(stored));
	call_unref(c);
}

/* Which one is meant must be certain: to guess would start a build that nobody asked for. */
static int check_certain(const struct call *c, const struct delivery *deliveries, size_t len,
			 struct err *err)
{
	cleanup_buf struct buf names = BUF_INIT;
	struct str webhook;

	if (len == 1 || http_query(c->req, "webhook", &webhook))
		return 0;
	for (size_t i = 0; i < len; i++)
		buf_addf(&names, "%s%.63s", i ? ", " : "", deliveries[i].webhook);
	return err_set(err, ERR_INVALID, "bad_query",
		       "delivery '%.128s' came on several webhooks (%s): say which webhook",
		       c->name, names.ptr);
}

static void on_to_replay(const struct delivery *deliveries, size_t len, const struct err *err,
			 void *data)
{
	struct call *c = data;
	struct err wrong = { 0 };

	if (c->req && err) {
		call_fail(c, err);
	} else if (c->req) {
		const struct delivery *one = NULL;
		if (check_certain(c, deliveries, len, &wrong) == 0)
			one = choose(c, deliveries, len, &wrong);
		if (one)
			webhook_replay(c->app->queue, one, on_replayed, call_ref(c));
		else
			call_fail(c, &wrong);
	}
	call_unref(c);
}

void api_deliveries_replay(struct call *c)
{
	queue_get_delivery(c->app->queue, c->name, on_to_replay, call_ref(c));
}

#include "webhooks/receive.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/scope.h"
#include "triggers/match.h"

/* What waits for the commit. */
struct pending {
	webhook_answer_cb cb;
	void *data;
};

static const struct {
	const char *word;
	int status;
} statuses[] = {
	{ "media_type", 415 },
	{ "delivery_conflict", 409 },
};

/* Never 500 for what a sender can send: what is not committed is 503, and the sender knows. */
static int status_of(const struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (err_is(err, statuses[i].word))
			return statuses[i].status;
	}
	switch (err->code) {
	case ERR_DENIED: return 401;
	case ERR_CONFLICT: return 409;
	case ERR_INVALID:
	case ERR_LIMIT:
	case ERR_NOTFOUND: return 400;
	default: return 503;
	}
}

static void answer_error(webhook_answer_cb cb, void *data, const struct str *delivery_id,
			 const struct err *err)
{
	int status = status_of(err);
	cleanup_json json_t *body = json_object();
	json_t *error = json_object();

	/* The message may quote what was sent, cut in the middle of a character. */
	json_put_string(error, "code", err->word);
	json_put_string(error, "message", err->msg);
	json_object_set_new(error, "details", json_array());
	json_object_set_new(body, "error", error);
	cleanup_free char *text = json_text(body);
	cleanup_free char *id = delivery_id ? str_dup(*delivery_id) : xstrdup("");

	cb(&(struct webhook_answer){ .status = status,
				     .json = text,
				     .verdict = status == 503 ? "unavailable" : "refused",
				     .delivery_id = id,
				     .word = err->word },
	   data);
}

/* {"deliveryId","runs":[ids],"verdicts":[…]} */
static void answer_delivery(webhook_answer_cb cb, void *data, int status, const char *verdict,
			    const struct delivery *d)
{
	cleanup_json json_t *body = json_object();
	json_t *runs = json_array();

	STRVEC_FOREACH (id, &d->runs)
		json_array_append_new(runs, json_string(*id));
	json_put_string(body, "deliveryId", d->delivery_id);
	json_object_set_new(body, "runs", runs);
	json_object_set_new(body, "verdicts", delivery_verdicts_to_json(d));
	cleanup_free char *text = json_text(body);
	cb(&(struct webhook_answer){ .status = status,
				     .json = text,
				     .verdict = verdict,
				     .delivery_id = d->delivery_id,
				     .word = "" },
	   data);
}

static void on_accepted(enum accept_outcome outcome, const struct delivery *stored,
			const struct err *err, void *data)
{
	struct pending *p = data;

	if (err)
		answer_error(p->cb, p->data, NULL, err);
	else if (outcome == ACCEPT_KNOWN)
		answer_delivery(p->cb, p->data, 200, "known", stored);
	else if (stored->runs.len)
		answer_delivery(p->cb, p->data, 202, "accepted", stored);
	else
		answer_delivery(p->cb, p->data, 200, "ignored", stored);
	free(p);
}

/* One verdict about the delivery as a whole. */
static void say(struct delivery *d, char *reason)
{
	delivery_add_verdict(d)->reason = reason;
}

/* One event of the delivery, the n-th. */
static void judge(struct match *match, struct delivery *d, size_t n, struct queue *q)
{
	const struct event *event = delivery_event(d, n);
	const struct task *const *tasks = NULL;

	switch (event->kind) {
	case EVENT_PING: say(d, xstrdup("ping: the webhook is connected")); break;
	case EVENT_OTHER:
		say(d, xasprintf("the event '%.64s' starts nothing here", event->name));
		break;
	case EVENT_PUSH:
	case EVENT_PULL_REQUEST: {
		size_t len = queue_tasks_of_repository(q, event->repository, &tasks);
		if (len == 0 && event->repository_id)
			len = queue_tasks_of_repository(q, event->repository_id, &tasks);
		match_event(match, d, n, tasks, len);
		break;
	}
	}
}

/* From the request to what it means; the id is known early, so that an error can name it. */
static int read_request(struct delivery *d, struct buf *id, const struct webhook *w,
			const struct webhook_request *r, struct err *err)
{
	struct events events = { 0 };

	if (w->provider->verify(w, r, err) < 0 || w->provider->delivery_id(id, r, err) < 0)
		return -1;
	int rc = w->provider->parse(&events, r, err);
	if (rc == 0 && events.len > DELIVERY_EVENTS_MAX)
		rc = err_set(err, ERR_LIMIT, "bad_payload", "more than %d refs in one delivery",
			     DELIVERY_EVENTS_MAX);
	if (rc < 0) {
		events_release(&events);
		return -1;
	}
	delivery_take_events(d, &events);
	return 0;
}

void webhook_receive(struct queue *q, const struct webhook *w, const struct webhook_request *r,
		     webhook_answer_cb cb, void *data)
{
	cleanup_buf struct buf id = BUF_INIT;
	struct delivery delivery = { 0 };
	struct match match = { 0 };
	struct err err = { 0 };

	if (read_request(&delivery, &id, w, r, &err) < 0) {
		struct str known = buf_str(&id);
		answer_error(cb, data, &known, &err);
		return;
	}
	delivery.webhook = xstrdup(w->name);
	delivery.delivery_id = str_dup(buf_str(&id));
	delivery.received_ms = clock_now_ms();
	sha256(delivery.body_sha256, r->body);
	for (size_t i = 0; i < delivery_events_len(&delivery); i++)
		judge(&match, &delivery, i, q);

	struct pending *p = xnew(struct pending);
	*p = (struct pending){ .cb = cb, .data = data };
	queue_accept(q, &delivery, match.wanted, match.len, on_accepted, p);
	/* The queue has taken the contents; the array is ours. */
	free(match.wanted);
}

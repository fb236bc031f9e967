#include "webhooks/receive.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/scope.h"
#include "webhooks/judge.h"

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
int webhook_status(const struct err *err)
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
	int status = webhook_status(err);
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

/* From the request to what it means; the id is known early, so that an error can name it. */
static int read_request(struct delivery *d, struct buf *id, const struct webhook *w,
			const struct webhook_request *r, struct err *err)
{
	if (w->provider->verify(w, r, err) < 0 || w->provider->delivery_id(id, r, err) < 0)
		return -1;
	return judge_read(d, w, r, err);
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
	delivery.delivery_id = str_dup(buf_str(&id));
	delivery.received_ms = clock_now_ms();
	judge_delivery(&match, &delivery, q);

	struct pending *p = xnew(struct pending);
	*p = (struct pending){ .cb = cb, .data = data };
	queue_accept(q, &delivery, match.wanted, match.len, on_accepted, p);
	/* The queue has taken the contents; the array is ours. */
	free(match.wanted);
}

#include "webhooks/simulate.h"

#include "common/json.h"
#include "common/scope.h"
#include "webhooks/judge.h"
#include "webhooks/receive.h"

enum { ID_RANDOM_BYTES = 20 };

struct simulation {
	char *signature;
	bool has_id;
	json_t *problems;
	int status; /* of the first problem; 0: none */
	webhook_simulate_cb cb;
	void *data;
};

static void add_problem(struct simulation *s, const struct err *err)
{
	json_t *problem = json_object();

	json_put_string(problem, "code", err->word);
	json_put_string(problem, "message", err->msg);
	json_array_append_new(s->problems, problem);
	if (s->status == 0)
		s->status = webhook_status(err);
}

static void check_signature(struct simulation *s, const struct webhook *w,
			    const struct webhook_request *r)
{
	struct err err = { 0 };

	if (w->provider->verify(w, r, &err) == 0) {
		s->signature = xstrdup("valid");
		return;
	}
	const char *what = err_is(&err, "signature_missing") ? "missing" : "invalid";
	s->signature = xasprintf("%s: %s", what, err.msg);
	add_problem(s, &err);
}

/* Without an id of its own it gets one that no delivery has. */
static char *read_id(struct simulation *s, const struct webhook *w, const struct webhook_request *r)
{
	cleanup_buf struct buf id = BUF_INIT;
	struct err err = { 0 };

	s->has_id = w->provider->delivery_id(&id, r, &err) == 0;
	if (s->has_id)
		return str_dup(buf_str(&id));
	add_problem(s, &err);
	return random_token(ID_RANDOM_BYTES);
}

/* ---- the trail ---- */

static int status_of(const struct simulation *s, const struct delivery *d,
		     const struct delivery *known)
{
	if (s->status || known)
		return s->status ? s->status : 200;
	for (size_t i = 0; i < d->verdicts_len; i++) {
		if (d->verdicts[i].matched && !d->verdicts[i].run_id)
			return 202;
	}
	return 200;
}

static void add_known(json_t *trail, const struct delivery *known)
{
	json_t *object = json_object(), *runs = json_array();

	STRVEC_FOREACH (id, &known->runs)
		json_array_append_new(runs, json_string(*id));
	json_put_string(object, "deliveryId", known->delivery_id);
	json_object_set_new(object, "runs", runs);
	json_object_set_new(trail, "known", object);
}

static void finish(struct simulation *s, const struct delivery *d, const struct delivery *known,
		   const struct err *err)
{
	cleanup_json json_t *trail = delivery_to_json(d);

	if (!s->has_id)
		json_object_del(trail, "deliveryId");
	json_put_string(trail, "signature", s->signature);
	json_object_set_new(trail, "status", json_integer(status_of(s, d, known)));
	json_object_set(trail, "problems", s->problems);
	if (known)
		add_known(trail, known);
	s->cb(err ? NULL : trail, err, s->data);
	json_decref(s->problems);
	free(s->signature);
	free(s);
}

static void on_preview(const struct delivery *judged, const struct delivery *known,
		       const struct err *err, void *data)
{
	struct simulation *s = data;

	if (err && err->code == ERR_CONFLICT) {
		add_problem(s, err);
		err = NULL;
	}
	finish(s, judged, known, err);
}

void webhook_simulate(struct queue *q, const struct webhook *w, const struct webhook_request *r,
		      webhook_simulate_cb cb, void *data)
{
	struct simulation *s = xnew(struct simulation);
	struct delivery delivery = { 0 };
	struct match match = { 0 };
	struct err err = { 0 };

	*s = (struct simulation){ .problems = json_array(), .cb = cb, .data = data };
	check_signature(s, w, r);
	delivery.delivery_id = read_id(s, w, r);
	if (judge_read(&delivery, w, r, &err) < 0) {
		add_problem(s, &err);
		delivery.webhook = xstrdup(w->name);
		finish(s, &delivery, NULL, NULL);
		delivery_release(&delivery);
		return;
	}
	judge_delivery(&match, &delivery, q);
	match_release(&match);
	queue_preview(q, &delivery, on_preview, s);
}

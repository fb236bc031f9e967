/*
 * accept: a delivery and its runs, in one transaction.
 *
 *   known id, same body ──────────► ACCEPT_KNOWN, with what is stored
 *   known id, other body ─────────► delivery_conflict
 *   same body under another id ───► ACCEPT_KNOWN
 *   else ─► a run for each wanted one whose event is news ─► the delivery ─► ACCEPT_NEW
 *
 * A replay is an operator's order to do it again: it is never known, and no news of a ref.
 */
#include "queue/internal.h"
#include "store/delivery_rows.h"
#include "store/ref_event_rows.h"

struct accept {
	struct op op;
	enum accept_outcome outcome;
	bool again;               /* a replay */
	struct delivery delivery; /* as it came; with ids and verdicts once accepted */
	struct delivery known;
	struct run_draft *drafts; /* of the runs wanted */
	size_t drafts_len;
	queue_accept_cb cb;
};

/* ---- known deliveries ---- */

int accept_find_known(struct store_db *db, const struct delivery *d, struct delivery *known,
		      struct err *err)
{
	int rc = delivery_is_known(db, d, err);

	if (rc != 1)
		return rc;
	rc = delivery_find(db, d->webhook, d->delivery_id, known, err);
	if (rc == 1 && memcmp(known->body_sha256, d->body_sha256, SHA256_BYTES) != 0)
		return err_set(err, ERR_CONFLICT, "delivery_conflict",
			       "delivery %.128s was received before with another body",
			       d->delivery_id);
	if (rc == 0)
		rc = delivery_find_by_body(db, d->webhook, d->body_sha256, known, err);
	return rc;
}

/* ---- events of a ref ---- */

/* Is this a move of a ref at all? Only those can repeat one another. */
static bool event_moves_ref(const struct event *e)
{
	return (e->kind == EVENT_PUSH || e->kind == EVENT_PULL_REQUEST) && e->repository && e->ref;
}

static struct ref_key key_of(const struct verdict *v, const struct event *e)
{
	return (struct ref_key){
		.registry = v->registry,
		.task = v->task,
		.repository = e->repository,
		.ref = e->ref,
	};
}

/* An event that makes no run is the latest of its ref all the same: what follows repeats nothing.
 */
static int note_unmatched(struct store_db *db, const struct delivery *d, struct err *err)
{
	for (size_t i = 0; i < d->verdicts_len; i++) {
		const struct verdict *v = &d->verdicts[i];
		const struct event *e = delivery_event(d, v->event);
		if (v->matched || !v->task || !v->registry || !event_moves_ref(e))
			continue;
		struct ref_key key = key_of(v, e);
		if (ref_event_remove(db, &key, err) < 0)
			return -1;
	}
	return 0;
}

int accept_find_repeated(struct store_db *db, const struct delivery *d, const struct verdict *v,
			 char **run_id, struct err *err)
{
	const struct event *e = delivery_event(d, v->event);

	if (!event_moves_ref(e))
		return 0;
	struct ref_key key = key_of(v, e);
	return ref_event_find_repeated(db, &key, e, run_id, err);
}

/* 1: the event repeats the latest one of its ref, and the verdict says of which run. */
static int is_repetition(struct store_db *db, struct accept *a, struct verdict *v, struct err *err)
{
	char *run_id = NULL;
	int rc = accept_find_repeated(db, &a->delivery, v, &run_id, err);

	if (rc == 1) {
		free(v->reason);
		v->reason = xasprintf("repeats the event that started run %s", run_id);
		v->run_id = run_id;
	}
	return rc;
}

/* ---- runs ---- */

static int note_matched(struct store_db *db, struct accept *a, struct verdict *v,
			const struct run *run, struct err *err)
{
	const struct event *e = delivery_event(&a->delivery, v->event);

	v->run_id = xstrdup(run->id);
	if (!event_moves_ref(e))
		return 0;
	struct ref_key key = key_of(v, e);
	return (a->again ? ref_event_renew : ref_event_put)(db, &key, e, run->id, err);
}

static int accept_wanted(struct store_db *db, struct accept *a, struct run_draft *draft,
			 struct verdict *v, struct err *err)
{
	const struct run *run = &draft->run;
	int repeated = a->again ? 0 : is_repetition(db, a, v, err);

	if (repeated != 0)
		return repeated < 0 ? -1 : 0;
	if (op_create_run(&a->op, db, draft, err) < 0)
		return -1;
	strvec_push(&a->delivery.runs, run->id);
	return note_matched(db, a, v, run, err);
}

/* The i-th run wanted is that of the i-th verdict which matched. */
static int accept_all(struct store_db *db, struct accept *a, struct err *err)
{
	size_t next = 0;

	for (size_t i = 0; i < a->delivery.verdicts_len && next < a->drafts_len; i++) {
		struct verdict *v = &a->delivery.verdicts[i];
		if (v->matched && accept_wanted(db, a, &a->drafts[next++], v, err) < 0)
			return -1;
	}
	return 0;
}

/* 1: nothing is left to do. */
static int look_before(struct store_db *db, struct accept *a, struct err *err)
{
	if (a->again)
		return 0;
	int known = accept_find_known(db, &a->delivery, &a->known, err);
	if (known == 0)
		return note_unmatched(db, &a->delivery, err);
	a->outcome = ACCEPT_KNOWN;
	return known;
}

static int accept_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct accept *a = (struct accept *)req;
	int rc = look_before(db, a, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (accept_all(db, a, err) < 0)
		return -1;
	return delivery_insert(db, &a->delivery, err);
}

static void accept_done(struct store_req *req)
{
	struct accept *a = (struct accept *)req;
	const struct delivery *stored = a->outcome == ACCEPT_KNOWN ? &a->known : &a->delivery;

	op_publish(&a->op);
	a->cb(a->outcome, req->rc < 0 ? NULL : stored, op_err(&a->op), a->op.data);
	for (size_t i = 0; i < a->drafts_len; i++)
		run_draft_release(&a->drafts[i]);
	free(a->drafts);
	delivery_release(&a->delivery);
	delivery_release(&a->known);
	op_end(&a->op);
}

static struct accept *accept_create(struct delivery *delivery, struct run *wanted,
				    size_t wanted_len, queue_accept_cb cb)
{
	struct accept *a = xnew(struct accept);

	*a = (struct accept){
		.outcome = ACCEPT_NEW,
		.delivery = *delivery,
		.drafts = xcalloc(wanted_len + 1, sizeof *a->drafts),
		.drafts_len = wanted_len,
		.cb = cb,
	};
	*delivery = (struct delivery){ 0 };
	for (size_t i = 0; i < wanted_len; i++)
		run_draft_init(&a->drafts[i], &wanted[i]);
	return a;
}

void queue_accept(struct queue *q, struct delivery *delivery, struct run *wanted, size_t wanted_len,
		  queue_accept_cb cb, void *data)
{
	struct accept *a = accept_create(delivery, wanted, wanted_len, cb);

	op_write(&a->op, q, accept_work, accept_done, data);
}

void queue_replay(struct queue *q, struct delivery *delivery, struct run *wanted, size_t wanted_len,
		  queue_accept_cb cb, void *data)
{
	struct accept *a = accept_create(delivery, wanted, wanted_len, cb);

	a->again = true;
	op_write(&a->op, q, accept_work, accept_done, data);
}

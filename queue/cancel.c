/*
 * cancel: Queued runs end at once; claimed ones are asked, and their runners told after the commit.
 * Every id has a result of its own, and asking twice harms nobody.
 */
#include "common/scope.h"
#include "queue/internal.h"
#include "store/run_list.h"
#include "store/run_moves.h"

enum { CANCEL_MAX = 1000 };

struct cancel {
	struct op op;
	char *registry;
	struct strvec ids;
	struct run_query query; /* for queue_cancel_matching() */
	bool matching, dry_run;
	struct cancel_result *results;
	size_t results_len;
	queue_cancel_cb cb;
};

/* ---- one run ---- */

static int end_queued(struct store_db *db, struct cancel *c, const struct run_state *state,
		      struct cancel_result *result, struct err *err)
{
	result->outcome = CANCEL_DONE;
	if (c->dry_run)
		return 0;
	result->status = RUN_CANCELED;
	changes_moved(&c->op.changes, state->id, RUN_QUEUED, RUN_CANCELED);
	return run_move_end(db, state, RUN_CANCELED, "canceled", "canceled before it was started",
			    c->op.now_ms, err);
}

static int ask_claimed(struct store_db *db, struct cancel *c, const struct run_state *state,
		       struct cancel_result *result, struct err *err)
{
	result->outcome = CANCEL_ACCEPTED;
	if (c->dry_run)
		return 0;
	changes_moved(&c->op.changes, state->id, state->status, state->status)->cancel_asked = true;
	return run_move_ask_cancel(db, state, c->op.now_ms, err);
}

static int cancel_one(struct store_db *db, struct cancel *c, const char *id,
		      struct cancel_result *result, struct err *err)
{
	struct run_state state = { 0 };
	int rc = run_state_find(db, c->registry, id, &state, err);

	*result = (struct cancel_result){ .outcome = CANCEL_UNKNOWN, .status = state.status };
	snprintf(result->run_id, sizeof result->run_id, "%s", id);
	if (rc == 1 && state.status == RUN_QUEUED)
		rc = end_queued(db, c, &state, result, err);
	else if (rc == 1 && !run_status_is_terminal(state.status))
		rc = ask_claimed(db, c, &state, result, err);
	else if (rc == 1)
		result->outcome = state.status == RUN_CANCELED ? CANCEL_ALREADY : CANCEL_ENDED;
	run_state_release(&state);
	return rc < 0 ? -1 : 0;
}

/* ---- the ids ---- */

static int compare_ids(const void *a, const void *b)
{
	char *const *x = *(char *const *const *)a, *const *y = *(char *const *const *)b;
	int order = strcmp(*x, *y);

	return order ? order : (x > y) - (x < y);
}

/* Keep the first of equal ids, in the order in which they came. */
static void drop_duplicates(struct strvec *ids)
{
	char ***places = xreallocarray(NULL, ids->len + 1, sizeof *places);
	size_t kept = 0;

	for (size_t i = 0; i < ids->len; i++)
		places[i] = &ids->items[i];
	qsort(places, ids->len, sizeof *places, compare_ids);
	for (size_t i = ids->len; i-- > 1;) {
		if (strcmp(*places[i], *places[i - 1]) == 0) {
			free(*places[i]);
			*places[i] = NULL;
		}
	}
	free(places);
	for (size_t i = 0; i < ids->len; i++)
		if (ids->items[i])
			ids->items[kept++] = ids->items[i];
	ids->len = kept;
	if (ids->items)
		ids->items[kept] = NULL;
}

static int cancel_work(struct store_db *db, struct store_req *req, struct err *err)
{
	struct cancel *c = (struct cancel *)req;

	if (c->matching && run_query_unfinished_ids(db, &c->query, CANCEL_MAX, &c->ids, err) < 0)
		return -1;
	if (c->ids.len > CANCEL_MAX)
		return err_set(err, ERR_LIMIT, "too_many",
			       "%zu runs are too many for one call, want at most %d", c->ids.len,
			       CANCEL_MAX);
	drop_duplicates(&c->ids);
	c->results = xcalloc(c->ids.len + 1, sizeof *c->results);
	for (; c->results_len < c->ids.len; c->results_len++)
		if (cancel_one(db, c, c->ids.items[c->results_len], &c->results[c->results_len],
			       err) < 0)
			return -1;
	return c->op.changes.len ? changes_ask_oldest(&c->op.changes, db, err) : 0;
}

static void cancel_done(struct store_req *req)
{
	struct cancel *c = (struct cancel *)req;

	op_publish(&c->op);
	c->cb(c->results, req->rc < 0 ? 0 : c->results_len, op_err(&c->op), c->op.data);
	free(c->registry);
	strvec_release(&c->ids);
	run_query_release(&c->query);
	free(c->results);
	op_end(&c->op);
}

void queue_cancel(struct queue *q, const char *registry, const char *const *ids, size_t len,
		  queue_cancel_cb cb, void *data)
{
	struct cancel *c = xnew(struct cancel);

	*c = (struct cancel){ .registry = xstrdup(registry), .cb = cb };
	for (size_t i = 0; i < len; i++)
		strvec_push(&c->ids, ids[i]);
	op_write(&c->op, q, cancel_work, cancel_done, data);
}

void queue_cancel_matching(struct queue *q, const char *registry, const struct filter *filter,
			   bool dry_run, queue_cancel_cb cb, void *data)
{
	struct cancel *c = xnew(struct cancel);

	*c = (struct cancel){
		.registry = xstrdup(registry),
		.matching = true,
		.dry_run = dry_run,
		.cb = cb,
	};
	run_query_init(&c->query, registry, filter);
	op_write(&c->op, q, cancel_work, cancel_done, data);
}

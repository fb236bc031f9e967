#include "server/tidy.h"

#include <inttypes.h>
#include <uv.h>

#include "common/json.h"
#include "common/log.h"
#include "common/scope.h"
#include "config/config.h"
#include "runner/launch/helper.h"
#include "server/app.h"

enum {
	FIRST_MS = 60000,
	PERIOD_MS = 3600000,
	AFTER_RUN_MS = 600000, /* from the end of the last one */
	FOR_ROOM_MS = 30000,
	DEADLINE_MS = 1800000,
};

/*
 *   WAITING (the timer runs) ──► UNDER WAY (the helper is there) ──► WAITING
 */
struct tidy {
	struct app *app;
	char *program;
	uv_timer_t timer;
	struct helper *helper;
	bool has_ended; /* one of them, at ended_ms of the loop's clock */
	uint64_t ended_ms;
	struct tidy_answer last;
	bool closing, timer_gone;
	void (*closed)(void *data);
	void *closed_data;
};

static const struct tidy_answer none;

const struct tidy_answer *tidy_last(const struct tidy *t)
{
	return t ? &t->last : &none;
}

static void maybe_closed(struct tidy *t)
{
	if (!t->closing || t->helper || !t->timer_gone)
		return;
	if (t->closed)
		t->closed(t->closed_data);
	tidy_answer_release(&t->last);
	free(t->program);
	free(t);
}

/* ---- one of them ---- */

static void on_timer(uv_timer_t *timer);

static int read_answer(struct tidy_answer *out, struct str output, struct err *err)
{
	json_t *object = NULL;
	int rc = json_read(&object, output, NULL, err);

	if (rc == 0)
		rc = tidy_answer_from_json(out, object, err);
	json_decref(object);
	return rc;
}

static void tell(const struct tidy_answer *a)
{
	if (a->problem)
		log_warn("tidy.problem", "error=\"%s\"", a->problem);
	log_info("tidy.done",
		 "mirrors=%" PRId64 " removed=%" PRId64 " repacked=%" PRId64 " bytes=%" PRId64
		 " freed=%" PRId64 " busy=%" PRId64,
		 a->mirrors, a->removed, a->repacked, a->bytes, a->freed_bytes, a->busy);
}

static void on_done(struct str output, const struct err *err, void *data)
{
	struct tidy *t = data;
	struct tidy_answer answer = { 0 };
	struct err why = { 0 };

	t->helper = NULL;
	t->has_ended = true;
	t->ended_ms = uv_now(t->app->loop);
	if (!err && read_answer(&answer, output, &why) < 0)
		err = &why;
	if (err && !t->closing)
		log_warn("tidy.failed", "error=\"%s\"", err->msg);
	if (!err) {
		tell(&answer);
		tidy_answer_release(&t->last);
		t->last = answer;
	}
	if (!t->closing)
		uv_timer_start(&t->timer, on_timer, PERIOD_MS, 0);
	maybe_closed(t);
}

static char *order_text(const struct app *app)
{
	struct tidy_order order = {
		.data_dir = xstrdup(app->data_dir),
		.git_bytes = app->config->retention.git_bytes,
		.min_free_bytes = app->config->retention.min_free_bytes,
	};
	cleanup_json json_t *object = tidy_order_to_json(&order);

	tidy_order_release(&order);
	return json_text(object);
}

static void on_timer(uv_timer_t *timer)
{
	struct tidy *t = timer->data;
	struct helper_opts opts = {
		.program = t->program,
		.verb = "tidy",
		.text = order_text(t->app),
		.deadline_ms = DEADLINE_MS,
		.done = on_done,
		.data = t,
	};
	struct err err = { 0 };

	if (helper_start(&t->helper, t->app->loop, &opts, &err) == 0)
		return;
	log_warn("tidy.failed", "error=\"%s\"", err.msg);
	uv_timer_start(&t->timer, on_timer, PERIOD_MS, 0);
}

/* ---- when ---- */

/* Not sooner than `gap_ms` after the last one, and not later than was planned anyway. */
static void bring_forward(struct tidy *t, uint64_t gap_ms)
{
	if (!t || t->closing || t->helper)
		return;
	uint64_t now_ms = uv_now(t->app->loop);
	uint64_t at_ms = t->has_ended ? t->ended_ms + gap_ms : now_ms;
	uint64_t in_ms = at_ms > now_ms ? at_ms - now_ms : 0;

	if (in_ms < uv_timer_get_due_in(&t->timer))
		uv_timer_start(&t->timer, on_timer, in_ms, 0);
}

void tidy_after_run(struct tidy *t)
{
	bring_forward(t, AFTER_RUN_MS);
}

void tidy_for_room(struct tidy *t)
{
	bring_forward(t, FOR_ROOM_MS);
}

/* ---- life ---- */

struct tidy *tidy_create(struct app *app, const char *program)
{
	struct tidy *t = xnew(struct tidy);

	t->app = app;
	t->program = xstrdup(program);
	uv_timer_init(app->loop, &t->timer);
	t->timer.data = t;
	uv_timer_start(&t->timer, on_timer, FIRST_MS, 0);
	return t;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct tidy *t = handle->data;

	t->timer_gone = true;
	maybe_closed(t);
}

void tidy_close(struct tidy *t, void (*closed)(void *data), void *data)
{
	t->closing = true;
	t->closed = closed;
	t->closed_data = data;
	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
	if (t->helper)
		helper_cancel(t->helper);
}

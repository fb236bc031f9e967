/* A delivery again by an operator's order, and the preview of one that was not sent. */
#include "tests/unit/queue/world.h"

#include "common/scope.h"

static void replay_async(struct world *w, const struct happening *h, const char *of)
{
	struct delivery d;
	struct run run = { 0 };

	make_delivery(&d, &run, h);
	d.replay_of = xstrdup(of);
	w->waiting++;
	queue_replay(w->queue, &d, &run, h->unmatched ? 0 : 1, accept_answered, w);
	assert_null(d.delivery_id); /* taken */
}

/* `of` moved main from A to B; again, as delivery `id`. */
static void replay(struct world *w, const char *id, const char *of)
{
	struct happening h = { .id = id, .before = "A", .after = "B" };

	answer_clear(&w->answer);
	replay_async(w, &h, of);
	world_wait(w);
}

static void replay_makes_a_new_run_of_a_seen_event(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	news(w);
	replay(w, "r1", "d1");

	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_string_equal(ids(w), "ca2");
	assert_string_equal(news(w), "ca2 Queued,ready");
	cleanup_free char *of =
		sql_text(w, "SELECT replay_of FROM delivery WHERE delivery_id = 'r1'");
	assert_string_equal(of, "d1");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery WHERE replay_of IS NULL"), 1);
}

static void each_replay_is_another_run(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	replay(w, "r1", "d1");
	replay(w, "r2", "d1");
	assert_string_equal(ids(w), "ca3");
	list_deliveries(w, NULL);
	assert_string_equal(w->answer.names.items[0], "r2");
	assert_int_equal(w->answer.names.len, 3);
}

static void runs_of_replays_wait_for_their_elders(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	replay(w, "r1", "d1");

	assert_string_equal(claim(w), "ca1");
	assert_null(claim(w));
	assert_true(finish(w, "ca1", 1, RUN_SUCCEEDED));
	assert_string_equal(claim(w), "ca2");
}

static void a_repeated_event_names_the_newest_run(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	replay(w, "r1", "d1");
	push(w, "d2", "A", "B");

	assert_int_equal(w->answer.runs.len, 0);
	assert_string_equal(w->answer.others.items[0], "ca2");
	push(w, "d1", "A", "B");
	assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
	assert_string_equal(ids(w), "ca1");
}

/* What came later must be known when it comes once more, for example over a second webhook. */
static void an_old_event_does_not_forget_the_later_one(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	push(w, "d2", "B", "C");
	replay(w, "r1", "d1");
	assert_string_equal(ids(w), "ca3");
	receive(w,
		(struct happening){ .id = "d2", .webhook = "second", .before = "B", .after = "C" });

	assert_int_equal(w->answer.runs.len, 0);
	assert_string_equal(w->answer.others.items[0], "ca2");
}

static void a_replay_that_matches_nothing_is_kept_and_changes_nothing(void **state)
{
	struct world *w = *state;
	struct happening h = { .id = "r1", .before = "A", .after = "B", .unmatched = true };

	push(w, "d1", "A", "B");
	answer_clear(&w->answer);
	replay_async(w, &h, "d1");
	world_wait(w);
	assert_int_equal(w->answer.outcome, ACCEPT_NEW);
	assert_int_equal(w->answer.runs.len, 0);
	push(w, "d2", "A", "B");

	assert_int_equal(w->answer.runs.len, 0);
	assert_string_equal(w->answer.others.items[0], "ca1");
}

static void replays_among_redeliveries_make_one_run_each(void **state)
{
	struct world *w = *state;
	struct happening first = { .id = "d1", .before = "A", .after = "B" }, again = first;

	push(w, "d1", "A", "B");
	answer_clear(&w->answer);
	for (int i = 0; i < 30; i++) {
		char id[] = { 'r', (char)('A' + i), 0 };
		again.id = id;
		receive_async(w, &first);
		replay_async(w, &again, "d1");
	}
	world_wait(w);

	assert_int_equal(sql_number(w, "SELECT count(*) FROM run"), 31);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery"), 31);
	assert_int_equal(sql_number(w, "SELECT count(DISTINCT order_key) FROM run"), 1);
}

/* ---- previews ---- */

struct seen {
	struct world *w;
	char *reason, *run_id, *known;
};

static void on_preview(const struct delivery *judged, const struct delivery *known,
		       const struct err *err, void *data)
{
	struct seen *s = data;

	answer_came(s->w, err);
	s->reason = xstrdup(judged->verdicts[0].reason);
	s->run_id = xstrdup(judged->verdicts[0].run_id);
	s->known = xstrdup(known ? known->delivery_id : NULL);
}

static struct seen preview(struct world *w, struct happening h)
{
	struct seen seen = { .w = w };
	struct delivery d;
	struct run run = { 0 };

	make_delivery(&d, &run, &h);
	run_release(&run);
	answer_begin(w);
	queue_preview(w->queue, &d, on_preview, &seen);
	world_wait(w);
	return seen;
}

static void release(struct seen *s)
{
	free(s->reason);
	free(s->run_id);
	free(s->known);
}

static void a_preview_says_what_would_repeat(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	struct seen news =
		preview(w, (struct happening){ .id = "d2", .before = "B", .after = "C" });
	struct seen same =
		preview(w, (struct happening){ .id = "d2", .before = "A", .after = "B" });
	assert_string_equal(news.reason, "push to main");
	assert_null(news.run_id);
	assert_string_equal(same.reason, "would repeat the event that started run ca1");
	assert_string_equal(same.run_id, "ca1");
	assert_null(same.known);
	release(&news);
	release(&same);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM delivery"), 1);
}

static void a_preview_finds_the_known_delivery(void **state)
{
	struct world *w = *state;

	push(w, "d1", "A", "B");
	struct seen body = preview(w, (struct happening){ .id = "d2", .body = "d1", .after = "B" });
	assert_string_equal(body.known, "d1");
	release(&body);
	struct seen other =
		preview(w, (struct happening){ .id = "d1", .body = "other", .after = "B" });
	assert_true(w->answer.failed);
	assert_string_equal(w->answer.err.word, "delivery_conflict");
	assert_non_null(other.reason);
	release(&other);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(replay_makes_a_new_run_of_a_seen_event),
		T(each_replay_is_another_run),
		T(runs_of_replays_wait_for_their_elders),
		T(a_repeated_event_names_the_newest_run),
		T(an_old_event_does_not_forget_the_later_one),
		T(a_replay_that_matches_nothing_is_kept_and_changes_nothing),
		T(replays_among_redeliveries_make_one_run_each),
		T(a_preview_says_what_would_repeat),
		T(a_preview_finds_the_known_delivery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

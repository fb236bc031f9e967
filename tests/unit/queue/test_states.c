/*
 * Random commands against the queue and against a model of it that fits on a page. SLIPWAY_SEED
 * and SLIPWAY_STEPS choose another walk; a failure prints the seed and the step.
 */
#include "tests/unit/queue/world.h"

#include "common/clock.h"
#include "common/scope.h"

/* ---- the model ---- */

enum { RUNS_MAX = 200000, KEYS = 4, MAX_ATTEMPTS = 2 };

struct model_run {
	enum run_status status;
	int attempt, key; /* key 0: none */
	bool cancel, pushed;
};

struct model {
	struct model_run *runs; /* runs[n] is ca<n + 1> */
	int len;
};

static bool unfinished(const struct model_run *r)
{
	return r->status <= RUN_RUNNING;
}

static bool claimed_by(const struct model_run *r, int attempt)
{
	return (r->status == RUN_STARTED || r->status == RUN_RUNNING) && r->attempt == attempt;
}

static bool has_elder(const struct model *m, int run)
{
	for (int i = 0; i < run && m->runs[run].key; i++)
		if (unfinished(&m->runs[i]) && m->runs[i].key == m->runs[run].key)
			return true;
	return false;
}

static int model_submit(struct model *m, int key)
{
	m->runs[m->len] = (struct model_run){ .status = RUN_QUEUED, .key = key };
	return m->len++;
}

static int model_claim(struct model *m)
{
	for (int i = 0; i < m->len; i++) {
		if (m->runs[i].status == RUN_QUEUED && !has_elder(m, i)) {
			m->runs[i].status = RUN_STARTED;
			m->runs[i].attempt++;
			return i;
		}
	}
	return -1;
}

static bool model_progress(struct model_run *r, int attempt, bool pushed)
{
	if (!claimed_by(r, attempt))
		return false;
	r->status = RUN_RUNNING;
	r->pushed = pushed;
	return true;
}

static bool model_grant(const struct model_run *r, int attempt)
{
	return claimed_by(r, attempt) && !r->cancel;
}

static bool model_finish(struct model_run *r, int attempt, enum run_status status)
{
	if (!claimed_by(r, attempt))
		return false;
	r->status = status;
	return true;
}

static void model_lost(struct model_run *r, int attempt)
{
	if (!claimed_by(r, attempt))
		return;
	if (r->cancel)
		r->status = RUN_CANCELED;
	else if (r->pushed || r->attempt >= MAX_ATTEMPTS)
		r->status = RUN_ERROR;
	else
		r->status = RUN_QUEUED;
}

static enum cancel_outcome model_cancel(struct model_run *r)
{
	if (r->status == RUN_CANCELED)
		return CANCEL_ALREADY;
	if (!unfinished(r))
		return CANCEL_ENDED;
	r->cancel = true;
	if (r->status != RUN_QUEUED)
		return CANCEL_ACCEPTED;
	r->status = RUN_CANCELED;
	return CANCEL_DONE;
}

/* ---- the walk ---- */

struct walk {
	struct world *w;
	struct model m;
	uint64_t random;
	int step;
	unsigned seed;
};

static int roll(struct walk *k, int sides)
{
	k->random = k->random * 6364136223846793005u + 1442695040888963407u;
	return (int)((k->random >> 33) % (unsigned)sides);
}

#define AGREE(what, ours, theirs)                                                                  \
	do {                                                                                       \
		long queue_says = (long)(ours), model_says = (long)(theirs);                       \
		if (queue_says != model_says)                                                      \
			fail_msg("seed %u, step %d: %s: the queue says %ld, the model %ld",        \
				 k->seed, k->step, what, queue_says, model_says);                  \
	} while (0)

static void run_id(char id[RUN_ID_BYTES], int run)
{
	run_id_format(id, "ca", run + 1);
}

static void do_submit(struct walk *k)
{
	static const char *const keys[KEYS] = { NULL, "a", "b", "c" };
	int key = roll(k, KEYS);
	char id[RUN_ID_BYTES];

	submit(k->w, keys[key]);
	run_id(id, model_submit(&k->m, key));
	assert_string_equal(ids(k->w), id);
}

static void do_claim(struct walk *k)
{
	const char *claimed = claim(k->w);
	int expected = model_claim(&k->m);
	char id[RUN_ID_BYTES] = "";

	if (expected >= 0)
		run_id(id, expected);
	if (strcmp(claimed ? claimed : "", id) != 0)
		fail_msg("seed %u, step %d: claim: the queue says '%s', the model '%s'", k->seed,
			 k->step, claimed ? claimed : "", id);
	if (claimed)
		AGREE("attempt", k->w->answer.attempt, k->m.runs[expected].attempt);
}

/* Mostly one of the youngest runs, and nearly always its attempt. */
static void do_something(struct walk *k, int what)
{
	struct image image = { .repository = (char[]){ "app" }, .digest = (char[]){ "sha256:1" } };
	static const enum run_status ends[] = { RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELED, RUN_ERROR,
						RUN_TIMEOUT };
	int back = roll(k, 5) || !k->m.len ? roll(k, 12) : roll(k, k->m.len);
	int run = k->m.len - 1 - back;
	if (run < 0)
		return;
	struct model_run *r = &k->m.runs[run];
	int attempt = r->attempt - (roll(k, 10) == 0);
	char id[RUN_ID_BYTES];
	run_id(id, run);

	if (what == 0) {
		bool pushes = roll(k, 4) == 0;
		struct run record = { .images = &image, .images_len = pushes };
		AGREE("progress", progress(k->w, id, attempt, &record),
		      model_progress(r, attempt, pushes));
	} else if (what == 1) {
		AGREE("grant", grant(k->w, id, attempt), model_grant(r, attempt));
	} else if (what == 2) {
		enum run_status end = ends[roll(k, 5)];
		AGREE("finish", finish(k->w, id, attempt, end), model_finish(r, attempt, end));
	} else if (what == 3) {
		lost(k->w, id, attempt, "lost");
		model_lost(r, attempt);
		AGREE("lost", k->w->answer.status, r->status);
	} else {
		AGREE("cancel", cancel(k->w, id), model_cancel(r));
	}
}

static void compare_all(struct walk *k)
{
	int64_t counts[RUN_STATUSES] = { 0 };

	for (int i = 0; i < k->m.len; i++)
		counts[k->m.runs[i].status]++;
	for (int s = RUN_QUEUED; s <= RUN_RUNNING; s++)
		AGREE("unfinished", queue_counts(k->w->queue)->runs[s], counts[s]);
	for (int i = k->m.len - 30 > 0 ? k->m.len - 30 : 0; i < k->m.len; i++) {
		char id[RUN_ID_BYTES];
		run_id(id, i);
		AGREE(id, status_of(k->w, id), k->m.runs[i].status);
		AGREE("attempt", k->w->answer.attempt, k->m.runs[i].attempt);
	}
	for (int s = 0; s < RUN_STATUSES; s++) {
		cleanup_free char *sql = xasprintf("SELECT count(*) FROM run WHERE status = %d", s);
		AGREE(run_status_name((enum run_status)s), sql_number(k->w, sql), counts[s]);
	}
}

static void random_commands_agree_with_the_model(void **state)
{
	const char *seed = getenv("SLIPWAY_SEED"), *steps = getenv("SLIPWAY_STEPS");
	struct walk walk = { .w = *state }, *k = &walk;
	int len = steps ? atoi(steps) : 10000;

	k->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)clock_now_ms();
	k->random = k->seed;
	k->m.runs = xcalloc(RUNS_MAX, sizeof *k->m.runs);
	print_message("seed %u, %d steps\n", k->seed, len);
	for (k->step = 0; k->step < len && k->m.len < RUNS_MAX; k->step++) {
		int dice = roll(k, 100);
		if (dice < 18)
			do_submit(k);
		else if (dice < 45)
			do_claim(k);
		else if (dice < 99)
			do_something(k, dice < 80 ? dice % 5 : 2);
		else
			world_reopen(k->w);
		strvec_release(&k->w->news);
		if (k->step % 500 == 499)
			compare_all(k);
	}
	compare_all(k);
	free(k->m.runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_commands_agree_with_the_model, world_setup,
						world_teardown),
	};
	/* It is about states, not about the disk. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

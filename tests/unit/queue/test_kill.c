/*
 * A process that accepts deliveries is killed with SIGKILL in the middle of it, again and again on
 * one database: what it has acknowledged is there, whole, and nothing is there in part.
 * SLIPWAY_SEED and SLIPWAY_ROUNDS choose other moments.
 */
#include "tests/unit/queue/world.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/scope.h"

enum { IN_FLIGHT = 16, ACKS_MAX = 300 };

/* ---- the one that is killed ---- */

struct sender {
	struct world *w;
	int round, number, out;
};

static void send_next(struct sender *s);

static void on_acknowledged(enum accept_outcome outcome, const struct delivery *stored,
			    const struct err *err, void *data)
{
	struct sender *s = data;

	if (err || outcome != ACCEPT_NEW)
		_exit(3);
	cleanup_free char *line = xasprintf("%s\n", stored->delivery_id);
	if (write(s->out, line, strlen(line)) < 0)
		_exit(4);
	send_next(s);
}

static void send_next(struct sender *s)
{
	cleanup_free char *id = xasprintf("round-%d-%d", s->round, s->number++);
	struct happening h = { .id = id, .after = id, .order_key = s->number % 2 ? "" : NULL };
	struct delivery d;
	struct run run;

	make_delivery(&d, &run, &h);
	queue_accept(s->w->queue, &d, &run, 1, on_acknowledged, s);
}

static void accept_until_killed(const char *folder, int round, int out)
{
	struct sender s = { .w = world_create(folder), .round = round, .out = out };
	struct err err;

	if (world_open(s.w, &err) < 0)
		_exit(2);
	for (int i = 0; i < IN_FLIGHT; i++)
		send_next(&s);
	uv_run(&s.w->loop, UV_RUN_DEFAULT);
	_exit(5);
}

/* ---- the one that kills ---- */

/* Read acknowledgements until `wanted` have come, kill, and read what was said before the end. */
static void kill_after(pid_t pid, int in, int wanted, struct strvec *acknowledged)
{
	cleanup_file FILE *lines = fdopen(in, "r");
	char line[100];
	int status, seen = 0;

	while (fgets(line, sizeof line, lines)) {
		if (strchr(line, '\n'))
			strvec_push_str(acknowledged, str_trim(str_from(line)));
		if (++seen == wanted)
			kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("the sender ended by itself: %d", WEXITSTATUS(status));
	assert_true(seen >= wanted);
}

static void run_and_kill(const char *folder, int round, int wanted, struct strvec *acknowledged)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		accept_until_killed(folder, round, ends[1]);
	}
	close(ends[1]);
	kill_after(pid, ends[0], wanted, acknowledged);
}

/* Each acknowledged delivery, with the run that it named. */
static void assert_all_there(struct world *w, const struct strvec *acknowledged)
{
	sqlite3 *sqlite;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_open(w->path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite,
					    "SELECT count(*) FROM delivery JOIN run ON"
					    " run.id = runs AND source_id = delivery_id"
					    " WHERE delivery_id = ?",
					    -1, &s, NULL),
			 SQLITE_OK);
	STRVEC_FOREACH (id, acknowledged) {
		sqlite3_bind_text(s, 1, *id, -1, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(s), SQLITE_ROW);
		if (sqlite3_column_int(s, 0) != 1)
			fail_msg("%s was acknowledged and is lost", *id);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	sqlite3_close(sqlite);
}

static void assert_whole(struct world *w, size_t acknowledged)
{
	cleanup_free char *integrity = sql_text(w, "PRAGMA integrity_check");
	int64_t deliveries = sql_number(w, "SELECT count(*) FROM delivery");

	assert_string_equal(integrity, "ok");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM run"), deliveries);
	assert_int_equal(sql_number(w, "SELECT runs FROM registry WHERE name = 'main'"),
			 deliveries);
	assert_int_equal(queue_counts(w->queue)->runs[RUN_QUEUED], deliveries);
	assert_true(deliveries >= (int64_t)acknowledged);
}

static void nothing_acknowledged_is_lost_when_killed(void **state)
{
	const char *seed = getenv("SLIPWAY_SEED"), *rounds = getenv("SLIPWAY_ROUNDS");
	unsigned random = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)clock_now_ms();
	cleanup_strvec struct strvec acknowledged = { 0 };
	int len = rounds ? atoi(rounds) : 20;
	struct err err;

	print_message("seed %u, %d rounds\n", random, len);
	for (int round = 0; round < len; round++) {
		int wanted = 1 + (int)(rand_r(&random) % ACKS_MAX);
		run_and_kill(*state, round, wanted, &acknowledged);

		struct world *w = world_create(*state);
		assert_works(world_open(w, &err));
		assert_all_there(w, &acknowledged);
		assert_whole(w, acknowledged.len);
		push(w, acknowledged.items[acknowledged.len - 1], "0", "other");
		assert_int_equal(w->answer.outcome, ACCEPT_KNOWN);
		world_destroy(w);
	}
	print_message("%zu acknowledged, 0 lost\n", acknowledged.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_when_killed,
						folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

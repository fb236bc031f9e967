/*
 * queue: how fast the queue is on this disk, without HTTP around it.
 *
 *   bench_queue FOLDER accept IN-FLIGHT SECONDS   deliveries with a run each, committed, a second
 *   bench_queue FOLDER fill RUNS                  that many Queued runs
 *   bench_queue FOLDER history RUNS               that many runs that have ended, with steps and
 * image bench_queue FOLDER claim SECONDS              claims and finishes a second, one at a time
 *   bench_queue FOLDER list TIMES                 us for a listing of 50, by each kind of filter
 *   bench_queue FOLDER open                       ms until a queue that is there can accept
 *
 * Prints one JSON line each; FOLDER/bench.db is kept, so that one can follow the other.
 */
#include <sqlite3.h>
#include <uv.h>

#include "common/clock.h"
#include "common/scope.h"
#include "queue/queue.h"

struct bench {
	uv_loop_t loop;
	struct queue *queue;
	int64_t number; /* of the next delivery */
	int64_t until_us;
	uint64_t done;
	int in_flight;
	uint64_t group; /* for fill: how many are still wanted */
	size_t rows;
};

static int64_t now_us(void)
{
	return (int64_t)(uv_hrtime() / 1000);
}

static void die(const struct err *err)
{
	fprintf(stderr, "%s: %s\n", err->word, err->msg);
	exit(1);
}

static void open_queue(struct bench *b, const char *folder)
{
	static const char *const registries[] = { "main" };
	cleanup_free char *path = xasprintf("%s/bench.db", folder);
	struct queue_opts opts = {
		.database = path,
		.key = (const unsigned char *)"0123456789abcdef0123456789abcdef",
		.registries = registries,
		.registries_len = 1,
		.max_attempts = 2,
	};
	struct err err = { 0 };

	uv_loop_init(&b->loop);
	if (queue_open(&b->queue, &b->loop, &opts, &err) < 0)
		die(&err);
}

/* ---- accept ---- */

static char *hex(int64_t number, int digits)
{
	unsigned char sha[SHA256_BYTES];
	char text[32];

	snprintf(text, sizeof text, "%lld", (long long)number);
	sha256(sha, str_from(text));
	char *out = hex_encode(sha, SHA256_BYTES);
	out[digits] = '\0';
	return out;
}

static void make_run(struct run *run, const struct event *event, int64_t number)
{
	*run = (struct run){
		.registry = xstrdup("main"),
		.type = RUN_AUTO_BUILD,
		.task = xstrdup("web"),
		.order_key = xasprintf("main/web/refs/heads/branch-%lld", (long long)(number % 97)),
		.reason = xstrdup("push to main by octocat"),
		.source = {
			.id = xasprintf("72d3162e-cc78-11e3-81ab-%012lld", (long long)number),
			.event_type = xstrdup("Commit"),
			.commit_id = xstrdup(event->after),
			.repository_url = xstrdup(event->repository_url),
			.branch = xstrdup("main"),
			.provider = xstrdup("Github"),
		},
		.build = {
			.context = xstrdup("https://github.com/acme/app.git#main:app"),
			.commit = xstrdup(event->after),
			.ref = xstrdup(event->ref),
			.dockerfile = xstrdup("Dockerfile"),
			.push = true,
		},
	};
	strvec_push(&run->build.images, "app:{{.Run.ID}}");
}

static void make_delivery(struct delivery *d, int64_t number)
{
	char text[32];

	snprintf(text, sizeof text, "body %lld", (long long)number);
	*d = (struct delivery){
		.webhook = xstrdup("github"),
		.received_ms = clock_now_ms(),
		.event = {
			.kind = EVENT_PUSH,
			.name = xstrdup("push"),
			.provider = xstrdup("github"),
			.repository = xstrdup("github.com/acme/app"),
			.repository_url = xstrdup("https://github.com/acme/app.git"),
			.ref = xasprintf("refs/heads/branch-%lld", (long long)(number % 97)),
			.before = hex(number - 97, 40),
			.after = hex(number, 40),
			.sender = xstrdup("octocat"),
		},
	};
	sha256(d->body_sha256, str_from(text));
	char *id = hex(number + (1LL << 40), 32); /* ids of forges have no order */
	d->delivery_id =
		xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
	free(id);
	struct verdict *v = delivery_add_verdict(d);
	*v = (struct verdict){ .registry = xstrdup("main"),
			       .task = xstrdup("web"),
			       .matched = true,
			       .reason = xstrdup("push to main by octocat") };
}

static void accept_next(struct bench *b);

static void on_accepted(enum accept_outcome outcome, const struct delivery *stored,
			const struct err *err, void *data)
{
	struct bench *b = data;

	if (err)
		die(err);
	(void)stored;
	b->done += outcome == ACCEPT_NEW;
	b->in_flight--;
	accept_next(b);
}

static void accept_next(struct bench *b)
{
	struct delivery delivery;
	struct run run;

	if (b->until_us ? now_us() > b->until_us : b->group == 0) {
		if (b->in_flight == 0)
			uv_stop(&b->loop);
		return;
	}
	if (!b->until_us)
		b->group--;
	make_delivery(&delivery, b->number);
	make_run(&run, &delivery.event, b->number++);
	b->in_flight++;
	queue_accept(b->queue, &delivery, &run, 1, on_accepted, b);
}

static void accept_many(struct bench *b, int in_flight)
{
	b->number = clock_now_ms() * 1000000;
	for (int i = 0; i < in_flight; i++)
		accept_next(b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

static void bench_accept(struct bench *b, int in_flight, double seconds)
{
	int64_t start_us = now_us();

	b->until_us = start_us + (int64_t)(seconds * 1e6);
	accept_many(b, in_flight);
	printf("{\"bench\":\"accept\",\"in_flight\":%d,\"accepted\":%llu,\"per_second\":%.0f}\n",
	       in_flight, (unsigned long long)b->done,
	       (double)b->done * 1e6 / (double)(now_us() - start_us));
}

static void bench_fill(struct bench *b, uint64_t runs)
{
	b->group = runs;
	accept_many(b, 256);
	printf("{\"bench\":\"fill\",\"queued\":%lld}\n",
	       (long long)queue_counts(b->queue)->runs[RUN_QUEUED]);
}

/* ---- claim ---- */

static void claim_next(struct bench *b);

static void on_finished(bool applied, const struct err *err, void *data)
{
	struct bench *b = data;

	if (err)
		die(err);
	b->done += applied;
	claim_next(b);
}

static void on_claimed(const struct run *run, const struct err *err, void *data)
{
	struct bench *b = data;
	struct run result = { .status = RUN_SUCCEEDED };

	if (err)
		die(err);
	if (!run)
		uv_stop(&b->loop);
	else
		queue_finish(b->queue, run->id, run->attempt, &result, on_finished, b);
}

static void claim_next(struct bench *b)
{
	if (now_us() > b->until_us)
		uv_stop(&b->loop);
	else
		queue_claim(b->queue, on_claimed, b);
}

static void bench_claim(struct bench *b, double seconds)
{
	int64_t start_us = now_us();
	long long queued = (long long)queue_counts(b->queue)->runs[RUN_QUEUED];

	b->until_us = start_us + (int64_t)(seconds * 1e6);
	claim_next(b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	printf("{\"bench\":\"claim\",\"queued_before\":%lld,\"per_second\":%.0f}\n", queued,
	       (double)b->done * 1e6 / (double)(now_us() - start_us));
}

/* ---- history ---- */

/* Straight into the table, which is what makes a million of them affordable. */
static void bench_history(const char *folder, long long runs)
{
	cleanup_free char *path = xasprintf("%s/bench.db", folder);
	cleanup_free char *sql = xasprintf(
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
		" INSERT INTO run (id, registry, status, type, attempt, ready, create_ms, start_ms,"
		" finish_ms, updated_ms, task, order_key, reason, source_id, source_event,"
		" source_commit, source_repository, source_branch, source_provider, output_images,"
		" progress, request)"
		" SELECT printf('zz%%x', i), 'main', CASE WHEN i %% 1000 = 0 THEN 4 ELSE 3 END, 2, 1,"
		" 1, i * 1000, i * 1000 + 10, i * 1000 + 500, i * 1000 + 500,"
		" printf('task-%%d', i %% 50), NULL, 'push to main by octocat',"
		" printf('72d3162e-cc78-11e3-81ab-%%012x', i), 'Commit',"
		" '1481a2de7b2a7d02428ad93446ab166be7793fbb', 'https://github.com/acme/app.git',"
		" 'main', 'Github', printf('team/app@sha256:%%064x', i),"
		" printf('{\"steps\":[{\"name\":\"fetch\",\"status\":\"Succeeded\",\"startMs\":%%d,"
		"\"endMs\":%%d},{\"name\":\"build\",\"status\":\"Succeeded\",\"startMs\":%%d,\"endMs\":%%d},"
		"{\"name\":\"push\",\"status\":\"Succeeded\",\"startMs\":%%d,\"endMs\":%%d}],\"images\":["
		"{\"registry\":\"127.0.0.1:5000\",\"repository\":\"team/app\",\"tag\":\"%%d\","
		"\"digest\":\"sha256:%%064x\"}]}', i, i, i, i, i, i, i, i),"
		" '{\"contextPath\":\"https://github.com/acme/app.git#main\",\"imageNames\":[],"
		"\"dockerFilePath\":\"Dockerfile\"}' FROM n;",
		runs);
	sqlite3 *sqlite;
	char *message = NULL;

	sqlite3_open(path, &sqlite);
	if (sqlite3_exec(sqlite, "PRAGMA cache_size = -200000", NULL, NULL, NULL) ||
	    sqlite3_exec(sqlite, sql, NULL, NULL, &message)) {
		fprintf(stderr, "history: %s\n", message);
		exit(1);
	}
	sqlite3_close(sqlite);
	printf("{\"bench\":\"history\",\"runs\":%lld}\n", runs);
}

/* ---- list ---- */

static void on_listed(const struct run *runs, size_t len, bool more, const struct err *err,
		      void *data)
{
	struct bench *b = data;

	(void)runs, (void)more;
	if (err)
		die(err);
	b->rows = len;
	uv_stop(&b->loop);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void bench_list(struct bench *b, const char *text, int times)
{
	cleanup_free int64_t *took = xcalloc((size_t)times, sizeof *took);
	struct filter *filter = NULL;
	struct err err = { 0 };

	if (*text && filter_parse(&filter, str_from(text), &err) < 0)
		die(&err);
	for (int i = 0; i < times; i++) {
		int64_t start_us = now_us();
		queue_list_runs(b->queue, "main", filter, 0, 50, on_listed, b);
		uv_run(&b->loop, UV_RUN_DEFAULT);
		took[i] = now_us() - start_us;
	}
	filter_destroy(filter);
	qsort(took, (size_t)times, sizeof *took, compare);
	printf("{\"bench\":\"list\",\"filter\":\"%s\",\"rows\":%zu,\"p50_us\":%lld,\"p90_us\":%lld}\n",
	       text, b->rows, (long long)took[times / 2], (long long)took[times * 9 / 10]);
}

static void bench_lists(struct bench *b, int times)
{
	static const char *const filters[] = {
		"",
		"TaskName eq 'task-7'",
		"Status eq 'Failed'",
		"TaskName eq 'task-0' and Status eq 'Failed'",
		"TaskName eq 'task-1' and Status eq 'Failed'",
		"contains(OutputImageManifests, 'team/app@sha256:"
		"0000000000000000000000000000000000000000000000000000000000000007')",
	};
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		bench_list(b, filters[i], times);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct bench *b = &bench;
	const char *what = argc > 2 ? argv[2] : "", *third = argc > 3 ? argv[3] : "0";
	int64_t start_us = now_us();

	if (argc < 3) {
		fprintf(stderr,
			"usage: bench_queue FOLDER accept|fill|history|claim|list|open …\n");
		return 2;
	}
	open_queue(b, argv[1]);
	if (strcmp(what, "open") == 0)
		printf("{\"bench\":\"open\",\"queued\":%lld,\"ms\":%.1f}\n",
		       (long long)queue_counts(b->queue)->runs[RUN_QUEUED],
		       (double)(now_us() - start_us) / 1000);
	else if (strcmp(what, "accept") == 0)
		bench_accept(b, atoi(third), argc > 4 ? atof(argv[4]) : 2);
	else if (strcmp(what, "fill") == 0)
		bench_fill(b, strtoull(third, NULL, 10));
	else if (strcmp(what, "history") == 0)
		bench_history(argv[1], atoll(third));
	else if (strcmp(what, "claim") == 0)
		bench_claim(b, atof(third));
	else if (strcmp(what, "list") == 0)
		bench_lists(b, atoi(third));
	queue_close(b->queue, NULL, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	uv_loop_close(&b->loop);
	return 0;
}

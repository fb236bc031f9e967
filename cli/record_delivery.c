#include "cli/record_delivery.h"

#include "cli/printable.h"
#include "cli/record.h"
#include "common/scope.h"

enum { SHOWN_COMMIT = 12, TASK_WIDTH = 16 };

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_ids(struct buf *out, const json_t *ids)
{
	size_t i;
	json_t *id;

	json_array_foreach ((json_t *)ids, i, id)
		buf_addf(out, "%s%s", i ? ", " : "", json_string_value(id));
}

/* ---- the request ---- */

/* Only what was authentic is stored; a simulation says what it found. */
static void add_head(struct buf *out, const json_t *delivery)
{
	const char *signature = text(delivery, "signature");

	record_add_line(out, "delivery", text(delivery, "deliveryId"));
	record_add_line(out, "replay of", text(delivery, "replayOf"));
	record_add_line(out, "webhook", text(delivery, "webhook"));
	record_add_line(out, "received", text(delivery, "receivedTime"));
	if (signature || !text(delivery, "replayOf"))
		record_add_line(out, "signature", signature ? signature : "valid");
	record_add_line(out, "event", text(delivery, "event"));
	record_add_line(out, "repository", text(delivery, "repository"));
}

/* ---- events ---- */

static void add_commits(struct buf *out, const json_t *event)
{
	cleanup_buf struct buf line = BUF_INIT;
	const char *before = text(event, "before"), *after = text(event, "after");

	if (before)
		buf_addf(&line, "%.*s → ", SHOWN_COMMIT, before);
	if (after)
		buf_addf(&line, "%.*s", SHOWN_COMMIT, after);
	record_add_line(out, before ? "commits" : "commit", buf_str(&line).ptr);
}

static void add_pull(struct buf *out, const json_t *pull)
{
	cleanup_buf struct buf line = BUF_INIT;
	const char *action = text(pull, "action"), *source = text(pull, "source"),
		   *target = text(pull, "target");

	if (!pull)
		return;
	buf_addf(&line, "%lld %s: %s → %s%s%s",
		 (long long)json_integer_value(json_object_get(pull, "number")),
		 action ? action : "", source ? source : "?", target ? target : "?",
		 json_is_true(json_object_get(pull, "draft")) ? ", a draft" : "",
		 json_is_true(json_object_get(pull, "fork")) ? ", from a fork" : "");
	record_add_line(out, "pull request", line.ptr);
}

static void add_flags(struct buf *out, const json_t *event)
{
	static const char *const flags[][2] = {
		{ "created", "the ref is new" },
		{ "deleted", "the ref was deleted" },
		{ "forced", "forced" },
		{ "skip", "the newest commit says to skip" },
	};
	cleanup_buf struct buf line = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (json_is_true(json_object_get(event, flags[i][0])))
			buf_addf(&line, "%s%s", line.len ? ", " : "", flags[i][1]);
	}
	record_add_line(out, "note", buf_str(&line).ptr);
}

static void add_event(struct buf *out, const json_t *event)
{
	record_add_line(out, "ref", text(event, "ref"));
	add_commits(out, event);
	add_pull(out, json_object_get(event, "pullRequest"));
	record_add_line(out, "title", text(event, "title"));
	add_flags(out, event);
}

/* ---- verdicts ---- */

static void add_verdict(struct buf *out, const char *name, const json_t *verdict)
{
	cleanup_buf struct buf line = BUF_INIT;
	const char *task = text(verdict, "task"), *run = text(verdict, "runId"),
		   *reason = text(verdict, "reason");

	if (task)
		buf_addf(&line, "%-*s %-12s ", TASK_WIDTH, task,
			 json_is_true(json_object_get(verdict, "matched")) ? "matched"
									   : "not matched");
	buf_adds(&line, reason ? reason : "");
	if (run && !(reason && strstr(reason, run)))
		buf_addf(&line, " (run %s)", run);
	record_add_line(out, name, line.ptr);
}

/* Those about the n-th event, from the *next on: they stand in the order of the events. */
static void add_verdicts(struct buf *out, const json_t *verdicts, size_t n, size_t *next)
{
	const char *name = "verdicts";
	const json_t *verdict;

	for (; (verdict = json_array_get(verdicts, *next)) != NULL; ++*next) {
		if ((size_t)json_integer_value(json_object_get(verdict, "event")) > n)
			return;
		add_verdict(out, name, verdict);
		name = "";
	}
}

/* ---- what a simulation says besides ---- */

static void add_known(struct buf *out, const json_t *known)
{
	cleanup_buf struct buf line = BUF_INIT, runs = BUF_INIT;
	const char *id = text(known, "deliveryId");

	if (!id)
		return;
	add_ids(&runs, json_object_get(known, "runs"));
	buf_addf(&line, "it came before as delivery %s%s%s: sent again, it would start nothing", id,
		 runs.len ? ", which started " : "", buf_str(&runs).ptr);
	record_add_line(out, "known", line.ptr);
}

/* But for the signature, which has a line of its own. */
static void add_problems(struct buf *out, const json_t *problems)
{
	const char *name = "problems";
	size_t i;
	json_t *problem;

	json_array_foreach ((json_t *)problems, i, problem) {
		const char *code = text(problem, "code"), *message = text(problem, "message");
		if (!code || !message || strncmp(code, "signature_", 10) == 0)
			continue;
		cleanup_free char *line = xasprintf("%s (%s)", message, code);
		record_add_line(out, name, line);
		name = "";
	}
}

static void add_simulated(struct buf *out, const json_t *delivery)
{
	cleanup_buf struct buf status = BUF_INIT;
	const json_t *number = json_object_get(delivery, "status");

	if (!number)
		return;
	add_known(out, json_object_get(delivery, "known"));
	add_problems(out, json_object_get(delivery, "problems"));
	buf_addf(&status, "%lld", (long long)json_integer_value(number));
	record_add_line(out, "answer", status.ptr);
}

void record_add_delivery(struct buf *out, const json_t *delivery)
{
	cleanup_buf struct buf runs = BUF_INIT;
	const json_t *verdicts = json_object_get(delivery, "verdicts");
	size_t i, next = 0;
	json_t *event;

	add_head(out, delivery);
	json_array_foreach (json_object_get(delivery, "events"), i, event) {
		add_event(out, event);
		add_verdicts(out, verdicts, i, &next);
	}
	add_verdicts(out, verdicts, SIZE_MAX, &next);
	add_ids(&runs, json_object_get(delivery, "runs"));
	record_add_line(out, "runs", buf_str(&runs).ptr);
	add_simulated(out, delivery);
}

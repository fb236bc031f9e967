#include "cli/views.h"

#include "cli/duration.h"

static void platform_cell(struct buf *cell, const json_t *item)
{
	const json_t *platform = json_object_get(item, "platform");
	const char *os = json_string_value(json_object_get(platform, "os"));
	const char *architecture = json_string_value(json_object_get(platform, "architecture"));

	if (os)
		buf_addf(cell, "%s%s%s", os, architecture ? "/" : "",
			 architecture ? architecture : "");
}

/* The first that applies: the source trigger's event, else a hand. */
static void trigger_cell(struct buf *cell, const json_t *item)
{
	const json_t *source = json_object_get(item, "sourceTrigger");
	const char *event = json_string_value(json_object_get(source, "eventType"));

	buf_adds(cell, event ? event : "Manual");
}

static void duration_cell(struct buf *cell, const json_t *item)
{
	duration_add(cell, json_string_value(json_object_get(item, "startTime")),
		     json_string_value(json_object_get(item, "finishTime")));
}

static void commit_cell(struct buf *cell, const json_t *item)
{
	const char *commit = json_string_value(json_object_get(item, "commit"));
	if (commit)
		buf_addstr(cell, str_slice(str_from(commit), 0, 12));
}

static void task_triggers_cell(struct buf *cell, const json_t *item)
{
	const json_t *triggers =
		json_object_get(json_object_get(item, "trigger"), "sourceTriggers");
	size_t i;
	json_t *trigger;

	json_array_foreach ((json_t *)triggers, i, trigger) {
		const char *status = json_string_value(json_object_get(trigger, "status"));
		if (cell->len == 0 && (!status || strcmp(status, "Enabled") == 0))
			buf_adds(cell, "SOURCE");
	}
}

static void ignored_cell(struct buf *cell, const json_t *item)
{
	buf_adds(cell, json_is_true(json_object_get(item, "ignored")) ? "ignored" : "kept");
}

static void runs_cell(struct buf *cell, const json_t *item)
{
	size_t i;
	json_t *id;

	json_array_foreach (json_object_get(item, "runs"), i, id)
		buf_addf(cell, "%s%s", i ? "," : "", json_string_value(id));
}

static void ok_cell(struct buf *cell, const json_t *item)
{
	buf_adds(cell, json_is_true(json_object_get(item, "ok")) ? "ok" : "FAILED");
}

static const struct column run_columns[] = {
	{ "RUN ID", "runId", NULL },         { "TASK", "task", NULL },
	{ "PLATFORM", NULL, platform_cell }, { "STATUS", "status", NULL },
	{ "TRIGGER", NULL, trigger_cell },   { "STARTED", "startTime", NULL },
	{ "DURATION", NULL, duration_cell }, { "COMMIT", NULL, commit_cell },
	{ "ERROR", "errorCode", NULL },      { 0 },
};
static const struct column task_columns[] = {
	{ "NAME", "name", NULL },
	{ "PLATFORM", NULL, platform_cell },
	{ "STATUS", "status", NULL },
	{ "TRIGGERS", NULL, task_triggers_cell },
	{ "CONTEXT", "step.contextPath", NULL },
	{ 0 },
};
static const struct column delivery_columns[] = {
	{ "DELIVERY ID", "deliveryId", NULL },
	{ "WEBHOOK", "webhook", NULL },
	{ "EVENT", "event", NULL },
	{ "REPOSITORY", "repository", NULL },
	{ "REF", "ref", NULL },
	{ "RECEIVED", "receivedTime", NULL },
	{ "RUNS", NULL, runs_cell },
	{ 0 },
};
static const struct column cancel_columns[] = {
	{ "RUN ID", "runId", NULL },
	{ "OUTCOME", "outcome", NULL },
	{ "STATUS", "status", NULL },
	{ 0 },
};
static const struct column context_columns[] = {
	{ "KIND", "kind", NULL },
	{ "REPOSITORY", "repository", NULL },
	{ "REF", "ref", NULL },
	{ "FOLDER", "folder", NULL },
	{ 0 },
};
static const struct column context_file_columns[] = {
	{ "VERDICT", NULL, ignored_cell },
	{ "PATH", "path", NULL },
	{ "RULE", "rule", NULL },
	{ "LINE", "line", NULL },
	{ 0 },
};
static const struct column health_columns[] = {
	{ "PART", "name", NULL },
	{ "STATE", NULL, ok_cell },
	{ "WHAT", "message", NULL },
	{ "HINT", "hint", NULL },
	{ 0 },
};

const struct view view_runs = { "runId", run_columns };
const struct view view_tasks = { "name", task_columns };
const struct view view_deliveries = { "deliveryId", delivery_columns };
const struct view view_cancels = { "runId", cancel_columns };
const struct view view_health = { "name", health_columns };
const struct view view_contexts = { "repository", context_columns };
const struct view view_context_files = { "path", context_file_columns };

#include "cli/record.h"

#include "cli/duration.h"
#include "cli/printable.h"

enum { NAME_WIDTH = 14 };

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_name(struct buf *out, const char *name)
{
	buf_addf(out, "%-*s ", NAME_WIDTH, name);
}

/* `before` and the text, if there is one. */
static void add_part(struct buf *out, const char *before, const char *value)
{
	if (!value)
		return;
	buf_adds(out, before);
	printable_add(out, value);
}

void record_add_line(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	add_name(out, name);
	printable_add(out, value);
	buf_addc(out, '\n');
}

static void add_members(struct buf *out, const json_t *run)
{
	static const char *const members[][2] = {
		{ "run", "runId" },           { "status", "status" },
		{ "error", "errorCode" },     { "because", "runErrorMessage" },
		{ "type", "runType" },        { "task", "task" },
		{ "reason", "reason" },       { "commit", "commit" },
		{ "created", "createTime" },  { "started", "startTime" },
		{ "finished", "finishTime" },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		record_add_line(out, members[i][0], text(run, members[i][1]));
}

static void add_steps(struct buf *out, const json_t *run)
{
	size_t i;
	json_t *step;

	json_array_foreach (json_object_get(run, "steps"), i, step) {
		struct buf name = BUF_INIT, status = BUF_INIT;
		printable_add(&name, text(step, "name"));
		printable_add(&status, text(step, "status"));
		add_name(out, i ? "" : "steps");
		buf_addf(out, "%-8s %-10s ", buf_str(&name).ptr, buf_str(&status).ptr);
		duration_add(out, text(step, "start"), text(step, "end"));
		buf_addc(out, '\n');
		buf_release(&name);
		buf_release(&status);
	}
}

static void add_timings(struct buf *out, const json_t *run)
{
	json_t *timings = json_object_get(run, "timings");
	const char *key;
	json_t *value;
	const char *gap = "";

	if (json_object_size(timings) == 0)
		return;
	add_name(out, "timings");
	json_object_foreach (timings, key, value) {
		add_part(out, gap, key);
		buf_addf(out, " %lld ms", (long long)json_integer_value(value));
		gap = ", ";
	}
	buf_addc(out, '\n');
}

void record_add_image(struct buf *out, const json_t *image)
{
	const char *registry = text(image, "registry");

	add_part(out, "", registry);
	add_part(out, registry ? "/" : "", text(image, "repository"));
	add_part(out, ":", text(image, "tag"));
	add_part(out, "@", text(image, "digest"));
}

void record_add_run(struct buf *out, const json_t *run)
{
	size_t i;
	json_t *image;

	add_members(out, run);
	add_steps(out, run);
	add_timings(out, run);
	json_array_foreach (json_object_get(run, "outputImages"), i, image) {
		add_name(out, i ? "" : "images");
		record_add_image(out, image);
		buf_addc(out, '\n');
	}
}

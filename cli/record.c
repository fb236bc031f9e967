#include "cli/record.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/output.h"

static void line(const char *name, const char *value)
{
	if (value && *value)
		printf("%-14s %s\n", name, value);
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_steps(const json_t *run)
{
	size_t i;
	json_t *step;

	json_array_foreach (json_object_get(run, "steps"), i, step) {
		struct buf cell = BUF_INIT;
		output_duration_of(&cell, text(step, "start"), text(step, "end"));
		printf("%-14s %-8s %-10s %s\n", i ? "" : "steps", text(step, "name"),
		       text(step, "status"), buf_str(&cell).ptr);
		buf_release(&cell);
	}
}

static void print_images(const json_t *run)
{
	size_t i;
	json_t *image;

	json_array_foreach (json_object_get(run, "outputImages"), i, image)
		printf("%-14s %s/%s:%s@%s\n", i ? "" : "images", text(image, "registry"),
		       text(image, "repository"), text(image, "tag"), text(image, "digest"));
}

static void print_timings(const json_t *run)
{
	const char *key;
	json_t *value;
	const char *gap = "";

	if (json_object_size(json_object_get(run, "timings")) == 0)
		return;
	printf("%-14s ", "timings");
	json_object_foreach (json_object_get(run, "timings"), key, value) {
		printf("%s%s %" JSON_INTEGER_FORMAT " ms", gap, key, json_integer_value(value));
		gap = ", ";
	}
	putchar('\n');
}

void record_print_run(const json_t *run)
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
		line(members[i][0], text(run, members[i][1]));
	print_steps(run);
	print_timings(run);
	print_images(run);
}

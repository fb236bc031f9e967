#include "cli/output.h"

#include <stdio.h>

#include "cli/jq.h"
#include "cli/table.h"
#include "common/clock.h"
#include "common/scope.h"

json_t *output_lift(const json_t *resource)
{
	json_t *properties = json_object_get(resource, "properties");
	json_t *flat = json_object();
	const char *key;
	json_t *value;

	if (!json_is_object(resource)) {
		json_decref(flat);
		return json_deep_copy(resource);
	}
	json_object_foreach ((json_t *)resource, key, value) {
		if (value != properties || !json_is_object(properties))
			json_object_set(flat, key, value);
	}
	if (json_is_object(properties))
		json_object_update(flat, properties);
	return flat;
}

static json_t *lift_all(const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value))
		return output_lift(value);
	json_t *list = json_array();
	json_array_foreach ((json_t *)value, i, item)
		json_array_append_new(list, output_lift(item));
	return list;
}

static void print_json(const json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);
	if (text)
		puts(text);
	free(text);
}

static void print_jsonl(const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		print_json(value, JSON_COMPACT);
		return;
	}
	json_array_foreach ((json_t *)value, i, item)
		print_json(item, JSON_COMPACT);
}

static void print_ids(const json_t *value, const char *id)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		const char *text = json_string_value(json_object_get(value, id));
		if (text)
			puts(text);
		return;
	}
	json_array_foreach ((json_t *)value, i, item)
		print_ids(item, id);
}

int output_value(const struct cli *cli, const json_t *value, const struct view *view)
{
	cleanup_json json_t *flat = lift_all(value);
	struct err err = { 0 };

	if (cli->quiet) {
		print_ids(flat, view->id);
		return EXIT_OK;
	}
	if (cli->jq)
		return jq_print(flat, cli->jq, &err) < 0 ? cli_fail(&err) : EXIT_OK;
	switch (cli->format) {
	case OUTPUT_JSON: print_json(flat, JSON_INDENT(2)); break;
	case OUTPUT_JSONL: print_jsonl(flat); break;
	case OUTPUT_TSV: table_print_tsv(flat, view->columns); break;
	case OUTPUT_TABLE: table_print(flat, view->columns); break;
	}
	return EXIT_OK;
}

bool output_is_data(const struct cli *cli)
{
	return cli->quiet || cli->jq || cli->format == OUTPUT_JSON || cli->format == OUTPUT_JSONL;
}

void output_duration_of(struct buf *cell, const char *start, const char *end)
{
	int64_t from_ms, to_ms = clock_now_ms();

	if (!start || clock_parse(start, &from_ms) < 0 || (end && clock_parse(end, &to_ms) < 0))
		return;
	int64_t seconds = to_ms > from_ms ? (to_ms - from_ms + 500) / 1000 : 0;
	buf_addf(cell, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
		 (int)(seconds % 60));
}

void output_duration(struct buf *cell, const json_t *item)
{
	output_duration_of(cell, json_string_value(json_object_get(item, "startTime")),
			   json_string_value(json_object_get(item, "finishTime")));
}

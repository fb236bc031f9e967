#include "cli/output.h"

#include <stdio.h>

#include "cli/jq.h"
#include "cli/table.h"
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

static void add_json(struct buf *out, const json_t *value, size_t flags)
{
	cleanup_free char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	if (!text)
		return;
	buf_adds(out, text);
	buf_addc(out, '\n');
}

static void add_jsonl(struct buf *out, const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		add_json(out, value, JSON_COMPACT);
		return;
	}
	json_array_foreach ((json_t *)value, i, item)
		add_json(out, item, JSON_COMPACT);
}

static void add_ids(struct buf *out, const json_t *value, const char *id)
{
	size_t i;
	json_t *item;
	const char *text = json_string_value(json_object_get(value, id));

	if (text)
		buf_addf(out, "%s\n", text);
	json_array_foreach ((json_t *)value, i, item)
		add_ids(out, item, id);
}

int output_add(struct buf *out, const struct cli *cli, const json_t *value, const struct view *view,
	       struct err *err)
{
	cleanup_json json_t *flat = lift_all(value);

	if (cli->quiet)
		add_ids(out, flat, view->id);
	else if (cli->jq)
		return jq_run(out, flat, cli->jq, err);
	else if (cli->format == OUTPUT_JSON)
		add_json(out, flat, JSON_INDENT(2));
	else if (cli->format == OUTPUT_JSONL)
		add_jsonl(out, flat);
	else if (cli->format == OUTPUT_TSV)
		table_add_tsv(out, flat, view->columns);
	else
		table_add(out, flat, view->columns, table_terminal_width());
	return 0;
}

int output_value(const struct cli *cli, const json_t *value, const struct view *view)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err err = { 0 };
	int rc = output_add(&text, cli, value, view, &err);

	output_text(&text);
	return rc < 0 ? cli_fail(&err) : EXIT_OK;
}

void output_text(const struct buf *text)
{
	fwrite(buf_str(text).ptr, 1, text->len, stdout);
	fflush(stdout);
}

bool output_is_data(const struct cli *cli)
{
	return cli->quiet || cli->jq || cli->format == OUTPUT_JSON || cli->format == OUTPUT_JSONL;
}

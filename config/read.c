#include "config/read.h"

#include "config/keys.h"
#include "config/value.h"

struct reading {
	const struct source *source;
	struct buf path; /* of the key in work */
	struct err *err;
};

static int read_section(struct reading *r, void *base, const struct key *table,
			const struct yaml_node *map);

/* The place is that of the key in work. */
static int locate(struct reading *r)
{
	return source_locate(r->source, buf_str(&r->path).ptr, r->err);
}

static int refuse(struct reading *r, const char *word, const char *what)
{
	err_set(r->err, ERR_INVALID, word, "%s", what);
	return locate(r);
}

static int refuse_null(struct reading *r)
{
	return refuse(r, "config_invalid", "has no value: give one, or remove the line");
}

/* Go down to a key, or to an item of a list; the length before it leads back. */
static size_t descend(struct reading *r, const char *name)
{
	size_t before = r->path.len;
	buf_addf(&r->path, "%s%s", before ? "." : "", name);
	return before;
}

static size_t descend_item(struct reading *r, size_t index)
{
	size_t before = r->path.len;
	buf_addf(&r->path, "[%zu]", index);
	return before;
}

static int read_list(struct reading *r, void *base, const struct key *key,
		     const struct yaml_node *list)
{
	if (!list || yaml_is_null(list))
		return 0;
	if (list->kind != YAML_LIST)
		return refuse(r, "config_invalid", "must be a list, each item after a '-'");

	char *items = xcalloc(list->len, key->size);
	*(void **)((char *)base + key->offset) = items;
	for (size_t i = 0; i < list->len; i++) {
		/* Counted at once, so that a failure inside it is released with the rest. */
		*(size_t *)((char *)base + key->len) = i + 1;
		size_t before = descend_item(r, i);
		if (read_section(r, items + i * key->size, key->keys, &list->items[i]) < 0)
			return -1;
		buf_truncate(&r->path, before);
	}
	return 0;
}

/* A list of scalars: each is one value of the kind. */
static int read_values(struct reading *r, void *base, const struct key *key,
		       const struct yaml_node *list)
{
	if (list->kind != YAML_LIST)
		return refuse(r, "config_invalid", "must be a list, such as [ a, b ]");
	/* An empty list of secrets would be no check at all. */
	if ((key->required || key->kind == KEY_SECRETS) && list->len == 0)
		return refuse(r, "config_invalid", "must have at least one item");
	value_reserve(base, key, list->len);
	for (size_t i = 0; i < list->len; i++) {
		size_t before = descend_item(r, i);
		if (yaml_is_null(&list->items[i]))
			return refuse_null(r);
		if (value_read(base, key, &list->items[i], r->source, r->err) < 0)
			return locate(r);
		buf_truncate(&r->path, before);
	}
	return 0;
}

static int read_node(struct reading *r, void *base, const struct key *key,
		     const struct yaml_node *node)
{
	if (value_is_list(key->kind))
		return read_values(r, base, key, node);
	return value_read(base, key, node, r->source, r->err) < 0 ? locate(r) : 0;
}

/* Defaults are written in the table as they would stand in the file, and read by the same code. */
static int read_preset(struct reading *r, void *base, const struct key *key)
{
	struct yaml_node *node = NULL;
	int rc = yaml_read(&node, str_from(key->preset), key->name, strlen(key->preset), r->err);

	if (rc == 0)
		rc = read_node(r, base, key, node);
	yaml_release(node);
	return rc;
}

static int read_key(struct reading *r, void *base, const struct key *key,
		    const struct yaml_node *node)
{
	if (key->kind == KEY_SECTION)
		return read_section(r, base, key->keys, node);
	if (key->kind == KEY_LIST)
		return read_list(r, base, key, node);
	if (node && yaml_is_null(node))
		return refuse_null(r);
	if (node)
		return read_node(r, base, key, node);
	if (key->required)
		return refuse(r, "config_invalid", "is required");
	return key->preset ? read_preset(r, base, key) : 0;
}

/* The nearest key of this section, for "did you mean". */
static const char *nearest(const struct key *table, const char *name)
{
	const char *words[64];
	size_t n = 0;

	KEYS_FOREACH(key, table)
	{
		if (n + 1 < ARRAY_LEN(words))
			words[n++] = key->name;
	}
	words[n] = NULL;
	return str_nearest(str_from(name), words);
}

static int refuse_unknown(struct reading *r, const struct key *table, const struct yaml_node *map)
{
	for (size_t i = 0; map && i < map->len; i++) {
		const struct yaml_node *node = &map->items[i];
		const struct key *key = table;
		while (key->name && strcmp(key->name, node->key) != 0)
			key++;
		if (key->name)
			continue;
		const char *near = nearest(table, node->key);
		bool top = r->path.len == 0;
		return err_set(r->err, ERR_INVALID, "config_unknown_key",
			       "%.200s:%d:%d: unknown key '%.60s'%s%s%s%s%s", r->source->file,
			       node->key_line, node->key_column, node->key, top ? "" : " in ",
			       buf_str(&r->path).ptr, near ? "; did you mean '" : "",
			       near ? near : "", near ? "'?" : "");
	}
	return 0;
}

static int read_present(struct reading *r, void *base, const struct key *table,
			const struct yaml_node *map)
{
	KEYS_FOREACH(key, table)
	{
		const struct yaml_node *node = map ? yaml_get(map, key->name) : NULL;
		if (!node)
			continue;
		size_t before = descend(r, key->name);
		if (read_key(r, base, key, node) < 0)
			return -1;
		buf_truncate(&r->path, before);
	}
	return 0;
}

static int read_absent(struct reading *r, void *base, const struct key *table,
		       const struct yaml_node *map)
{
	KEYS_FOREACH(key, table)
	{
		if (map && yaml_get(map, key->name))
			continue;
		size_t before = descend(r, key->name);
		if (read_key(r, base, key, NULL) < 0)
			return -1;
		buf_truncate(&r->path, before);
	}
	return 0;
}

static int read_section(struct reading *r, void *base, const struct key *table,
			const struct yaml_node *map)
{
	if (map && yaml_is_null(map))
		map = NULL;
	if (map && map->kind != YAML_MAP)
		return refuse(r, "config_invalid", "must be keys with values, one on each line");

	/* Unknown keys before missing ones: a key that is missing may only be misspelt. */
	if (read_present(r, base, table, map) < 0 || refuse_unknown(r, table, map) < 0)
		return -1;
	return read_absent(r, base, table, map);
}

int config_read(struct config *out, const struct source *s, struct err *err)
{
	struct reading r = { .source = s, .err = err };
	int rc = read_section(&r, out, config_keys, s->root);
	buf_release(&r.path);
	return rc;
}

#include "config/source.h"

#include "common/str.h"

/* The index in "name[3]", or -1; cuts it off. */
static int take_index(struct str *name)
{
	uint64_t index;
	size_t bracket = str_find(*name, '[', 0);

	if (bracket == name->len ||
	    !str_to_u64(str_slice(*name, bracket + 1, name->len - 1), INT32_MAX, &index))
		return -1;
	name->len = bracket;
	return (int)index;
}

static const struct yaml_node *child(const struct yaml_node *map, struct str name)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->len; i++) {
		if (str_is(name, map->items[i].key))
			return &map->items[i];
	}
	return NULL;
}

static const struct yaml_node *find(const struct yaml_node *node, const char *path)
{
	struct str rest = str_from(path), name;

	while (*path && str_split(&rest, '.', &name)) {
		int index = take_index(&name);
		const struct yaml_node *next = child(node, name);
		if (next && index >= 0 && next->kind == YAML_LIST && (size_t)index < next->len)
			next = &next->items[index];
		if (!next)
			break;
		node = next;
	}
	return node;
}

int source_locate(const struct source *s, const char *path, struct err *err)
{
	const char *colon = *path ? ": " : "";

	if (!s->root)
		return *path ? err_wrap(err, "%.150s", path) : -1;
	const struct yaml_node *at = find(s->root, path);
	return err_wrap(err, "%.200s:%d:%d%s%.150s", s->file, at->line, at->column, colon, path);
}

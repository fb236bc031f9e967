/*
 * The YAML reader: whatever it accepts is a tree within its limits, in UTF-8, without duplicates;
 * whatever it refuses has a word and a place.
 */
#include "tests/fuzz/fuzz.h"

#include "common/yaml.h"

enum { LIMIT = 64 * 1024 };

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_keys(const struct yaml_node *map)
{
	for (size_t i = 0; i < map->len; i++) {
		const struct yaml_node *item = &map->items[i];
		must(item->key && str_is_utf8(str_from(item->key)));
		must(item->key_line >= 1 && item->key_column >= 1);
		if (i < 100) /* the fuzzer need not be quadratic either */
			must(yaml_get(map, item->key) == item);
	}
}

static void check(const struct yaml_node *node, int depth)
{
	must(node->line >= 1 && node->column >= 1);
	if (node->kind == YAML_SCALAR) {
		must(node->text && str_is_utf8(str_from(node->text)) && !node->len);
		return;
	}
	must(depth <= 64 && !node->text);
	if (node->kind == YAML_MAP)
		check_keys(node);
	for (size_t i = 0; i < node->len; i++) {
		must(node->kind == YAML_MAP || !node->items[i].key);
		check(&node->items[i], depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct yaml_node *root = NULL;
	struct err err = { 0 };

	if (yaml_read(&root, text, "f.yaml", LIMIT, &err) == 0) {
		check(root, 1);
		yaml_release(root);
		return 0;
	}
	struct str message = str_from(err.msg);
	must(!root && err.code != ERR_NONE && str_starts(str_from(err.word), "yaml_"));
	must(str_starts(message, "f.yaml:") && !str_has_control(message));
	return 0;
}

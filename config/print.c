/* The configuration in force as YAML that can be read again (config.h). */
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"

static void indent(struct buf *out, int depth)
{
	buf_addf(out, "%*s", depth * 2, "");
}

static void print_section(const void *base, const struct key *table, int depth, struct buf *out);

/* The registry that is there when none is configured has no server, and no place in a file. */
static bool is_whole(const void *item, const struct key *table)
{
	KEYS_FOREACH(key, table)
	{
		if (key->required && !value_is_set(item, key))
			return false;
	}
	return true;
}

static void print_list(const void *base, const struct key *key, int depth, struct buf *out)
{
	const char *items = *(const char *const *)((const char *)base + key->offset);
	size_t len = *(const size_t *)((const char *)base + key->len), printed = 0;

	indent(out, depth);
	size_t line = out->len;
	buf_addf(out, "%s:\n", key->name);
	for (size_t i = 0; i < len; i++) {
		const char *item = items + i * key->size;
		if (!is_whole(item, key->keys))
			continue;
		size_t begin = out->len;
		print_section(item, key->keys, depth + 2, out);
		out->ptr[begin + (size_t)depth * 2 + 2] = '-';
		printed++;
	}
	if (!printed) {
		buf_truncate(out, line);
		buf_addf(out, "%s: []\n", key->name);
	}
}

static void print_section(const void *base, const struct key *table, int depth, struct buf *out)
{
	KEYS_FOREACH(key, table)
	{
		if (key->kind == KEY_LIST) {
			print_list(base, key, depth, out);
		} else if (key->kind == KEY_SECTION) {
			size_t before = out->len;
			indent(out, depth);
			buf_addf(out, "%s:\n", key->name);
			size_t inside = out->len;
			print_section(base, key->keys, depth + 1, out);
			if (out->len == inside)
				buf_truncate(out, before);
		} else if (value_is_set(base, key)) {
			indent(out, depth);
			buf_addf(out, "%s: ", key->name);
			value_print(base, key, out);
			buf_addc(out, '\n');
		}
	}
}

void config_print(const struct config *c, struct buf *out)
{
	if (c->file)
		buf_addf(out, "# %s, with the defaults for all that it leaves out\n", c->file);
	else
		buf_adds(out, "# no file was found: these are the defaults\n");
	print_section(c, config_keys, 0, out);
}

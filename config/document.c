/* docs/configuration.md, out of the table. `cmake --build build --target docs` writes it. */
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"

static const char head[] =
	"# Configuration\n"
	"\n"
	"<!-- Made from config/keys.c by `cmake --build build --target docs`. -->\n"
	"\n"
	"One YAML file, read by `slipway serve` and by `slipway config check | print`: `-c FILE`, or "
	"`$SLIPWAY_CONFIG`, or\n"
	"`/etc/slipway/slipway.yaml` for root and `$XDG_CONFIG_HOME/slipway/slipway.yaml` for everybody "
	"else. Every key is optional;\n"
	"without a file the defaults hold. [examples/slipway.yaml](../examples/slipway.yaml) is one to "
	"begin with. An unknown key is an\n"
	"error, as is a value that is not right; the message says where it is and what would be right. "
	"`SIGHUP` makes the server read\n"
	"the file again; when it is not right, nothing changes.\n"
	"\n"
	"- A **size** is in bytes; `K`, `M` and `G` behind it are powers of 1024.\n"
	"- A **secret** is `file:PATH` (a file that only its owner can read; a newline at its end does not "
	"count), `env:NAME`, or the\n"
	"  value itself, if only its owner can read the configuration file.\n"
	"- A **path** that does not begin with `/` is relative to the folder of the configuration file.\n"
	"- A **boolean** is `true` or `false` and nothing else.\n"
	"- Anchors, aliases, tags and directives of YAML are not for configuration files.\n";

static const char *kind_name(enum key_kind kind)
{
	static const char *const names[] = {
		[KEY_TEXT] = "text",
		[KEY_PATH] = "path",
		[KEY_COUNT] = "number",
		[KEY_SIZE] = "size",
		[KEY_DECIMAL] = "number",
		[KEY_BOOL] = "boolean",
		[KEY_SECRET] = "secret",
		[KEY_SECRETS] = "list of secrets",
		[KEY_TEXTS] = "list of texts",
		[KEY_PORTS] = "list of numbers",
		[KEY_CIDRS] = "list of networks",
		[KEY_SECTION] = "section",
		[KEY_LIST] = "list",
	};
	return names[kind];
}

/* What may stand there: the kind, its range or its words. */
static void add_values(struct buf *out, const struct key *key)
{
	if (key->kind == KEY_CHOICES)
		buf_adds(out, "list of ");
	for (const char *const *c = key->choices; c && *c; c++)
		buf_addf(out, "%s`%s`", c == key->choices ? "" : ", ", *c);
	if (key->choices)
		return;
	buf_adds(out, kind_name(key->kind));
	if (key->max == 0)
		return;
	buf_adds(out, ", ");
	size_print(out, key->min, key->kind == KEY_SIZE);
	buf_adds(out, " to ");
	size_print(out, key->max, key->kind == KEY_SIZE);
}

static void add_default(struct buf *out, const struct key *key)
{
	if (key->required)
		buf_adds(out, "required");
	else if (key->preset)
		buf_addf(out, "`%s`", key->preset);
	else
		buf_adds(out, key->unset_is ? key->unset_is : "none");
}

static void add_table(struct buf *out, const struct key *table)
{
	buf_adds(out, "\n| key | value | default | meaning |\n|---|---|---|---|\n");
	KEYS_FOREACH(key, table)
	{
		if (key->kind == KEY_SECTION)
			continue;
		buf_addf(out, "| `%s` | ", key->name);
		add_values(out, key);
		buf_adds(out, " | ");
		add_default(out, key);
		buf_addf(out, " | %s |\n", key->help);
	}
}

static void add_sections(struct buf *out, const struct key *table, const char *prefix)
{
	KEYS_FOREACH(key, table)
	{
		if (!key->keys)
			continue;
		char *path =
			xasprintf("%s%s%s", prefix, key->name, key->kind == KEY_LIST ? "[]" : "");
		buf_addf(out, "\n## `%s`\n\n%s", path, key->help);
		if (key->unset_is)
			buf_addf(out, " Without it: %s.", key->unset_is);
		buf_addc(out, '\n');
		add_table(out, key->keys);
		char *below = xasprintf("%s.", path);
		add_sections(out, key->keys, below);
		free(below);
		free(path);
	}
}

void config_document(struct buf *out)
{
	buf_adds(out, head);
	add_table(out, config_keys);
	add_sections(out, config_keys, "");
}

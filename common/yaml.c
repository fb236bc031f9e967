#include "common/yaml.h"

#include <assert.h>
#include <yaml.h>

#include "common/mem.h"

enum { DEPTH_MAX = 64 };

/* A map or list whose end has not come yet. */
struct open_node {
	struct yaml_node node;
	size_t cap;    /* of node.items */
	bool have_key; /* a map has read a key and waits for its value */
	char *key;     /* that key */
	int key_line, key_column;
};

struct reader {
	yaml_parser_t parser;
	struct str text;
	const char *name;
	struct open_node stack[DEPTH_MAX];
	size_t depth;
	struct yaml_node *root;
	struct err *err;
};

/* Where the byte at `offset` is: columns are counted in characters, as libyaml does. */
static yaml_mark_t mark_of(struct str text, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < text.len; i++) {
		bool newline = text.ptr[i] == '\n';
		mark.line += newline;
		mark.column = newline ? 0 : mark.column + ((text.ptr[i] & 0xc0) != 0x80);
	}
	return mark;
}

static int refuse(struct reader *r, const char *word, yaml_mark_t at, const char *what)
{
	return err_set(r->err, ERR_INVALID, word, "%.200s:%zu:%zu: %s", r->name, at.line + 1,
		       at.column + 1, what);
}

static void node_clear(struct yaml_node *node)
{
	for (size_t i = 0; i < node->len; i++)
		node_clear(&node->items[i]);
	free(node->items);
	free(node->text);
	free(node->key);
}

void yaml_release(struct yaml_node *root)
{
	if (root)
		node_clear(root);
	free(root);
}

/* ---- building the tree ---- */

static int by_key_then_place(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	int order = strcmp(x->key, y->key);
	return order ? order : x < y ? -1 : x > y;
}

/* Sorted, because comparing each key with each would be quadratic in a hostile file. */
static int refuse_duplicates(struct reader *r, const struct yaml_node *map)
{
	const struct yaml_node **sorted = xcalloc(map->len, sizeof(struct yaml_node *));
	const struct yaml_node *first = NULL, *second = NULL;

	for (size_t i = 0; i < map->len; i++)
		sorted[i] = &map->items[i];
	qsort(sorted, map->len, sizeof(struct yaml_node *), by_key_then_place);
	for (size_t i = 1; i < map->len; i++) {
		bool same = strcmp(sorted[i - 1]->key, sorted[i]->key) == 0;
		if (same && (!second || sorted[i] < second)) {
			first = sorted[i - 1];
			second = sorted[i];
		}
	}
	free(sorted);
	return !second ? 0
		       : err_set(r->err, ERR_INVALID, "yaml_duplicate",
				 "%.200s:%d:%d: the key '%.100s' stands here a second time; the "
				 "first is at %d:%d",
				 r->name, second->key_line, second->key_column, second->key,
				 first->key_line, first->key_column);
}

/* Put a finished node where it belongs. It is owned by the tree from now on, also on failure. */
static void place(struct reader *r, struct yaml_node node)
{
	if (r->depth == 0) {
		r->root = xmemdup(&node, sizeof node);
		return;
	}
	struct open_node *parent = &r->stack[r->depth - 1];
	if (parent->node.kind == YAML_MAP) {
		node.key = parent->key;
		node.key_line = parent->key_line;
		node.key_column = parent->key_column;
		parent->key = NULL;
		parent->have_key = false;
	}
	if (parent->node.len == parent->cap) {
		parent->cap = parent->cap ? parent->cap * 2 : 4;
		parent->node.items =
			xreallocarray(parent->node.items, parent->cap, sizeof(struct yaml_node));
	}
	parent->node.items[parent->node.len++] = node;
}

static bool key_wanted(const struct reader *r)
{
	if (r->depth == 0)
		return false;
	const struct open_node *parent = &r->stack[r->depth - 1];
	return parent->node.kind == YAML_MAP && !parent->have_key;
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	int line = (int)e->start_mark.line + 1, column = (int)e->start_mark.column + 1;

	if (e->data.scalar.anchor)
		return refuse(r, "yaml_alias", e->start_mark, "anchors are not allowed");
	if (e->data.scalar.tag)
		return refuse(r, "yaml_directive", e->start_mark, "tags are not allowed");
	if (strlen(text) != e->data.scalar.length)
		return refuse(r, "yaml_encoding", e->start_mark, "NUL is not allowed");
	if (key_wanted(r)) {
		struct open_node *map = &r->stack[r->depth - 1];
		map->key = xstrdup(text);
		map->key_line = line;
		map->key_column = column;
		map->have_key = true;
		return 0;
	}
	place(r, (struct yaml_node){
			 .kind = YAML_SCALAR,
			 .line = line,
			 .column = column,
			 .quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
			 .text = xstrdup(text),
		 });
	return 0;
}

static int on_start(struct reader *r, enum yaml_kind kind, const yaml_event_t *e,
		    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return refuse(r, "yaml_alias", e->start_mark, "anchors are not allowed");
	if (tag)
		return refuse(r, "yaml_directive", e->start_mark, "tags are not allowed");
	if (key_wanted(r))
		return refuse(r, "yaml_syntax", e->start_mark, "a key must be a plain word");
	/* The rule that keeps libyaml, which is quadratic in open brackets, fast. */
	if (r->depth == DEPTH_MAX)
		return refuse(r, "yaml_depth", e->start_mark, "nested deeper than 64 levels");
	r->stack[r->depth++] = (struct open_node){
		.node =
			{
				.kind = kind,
				.line = (int)e->start_mark.line + 1,
				.column = (int)e->start_mark.column + 1,
			},
	};
	return 0;
}

static int on_end(struct reader *r)
{
	struct yaml_node node = r->stack[--r->depth].node;

	if (node.kind == YAML_MAP && refuse_duplicates(r, &node) < 0) {
		node_clear(&node);
		return -1;
	}
	place(r, node);
	return 0;
}

static int on_document(struct reader *r, const yaml_event_t *e)
{
	if (r->root)
		return refuse(r, "yaml_syntax", e->start_mark, "a second document begins here");
	return 0;
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT: return on_document(r, e);
	case YAML_ALIAS_EVENT:
		return refuse(r, "yaml_alias", e->start_mark, "aliases are not allowed");
	case YAML_SCALAR_EVENT: return on_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, YAML_LIST, e, e->data.sequence_start.anchor,
				e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, YAML_MAP, e, e->data.mapping_start.anchor,
				e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_end(r);
	default: return 0;
	}
}

/* ---- libyaml's own failures ---- */

/* libyaml tells what it was doing in words only; the first that fits names the failure. */
static const char *word_of(const yaml_parser_t *p)
{
	static const struct {
		const char *part, *word;
	} words[] = {
		{ "directive", "yaml_directive" },
		{ " tag", "yaml_directive" },
		{ "anchor", "yaml_alias" },
		{ "alias", "yaml_alias" },
	};
	if (p->error == YAML_READER_ERROR)
		return "yaml_encoding";
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((p->context && strstr(p->context, words[i].part)) ||
		    (p->problem && strstr(p->problem, words[i].part)))
			return words[i].word;
	}
	return "yaml_syntax";
}

static int explain(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	bool reading = p->error == YAML_READER_ERROR; /* its mark is that of the reading ahead */
	char what[200];

	snprintf(what, sizeof what, "%s%s%s", p->problem ? p->problem : "malformed",
		 p->context ? " " : "", p->context ? p->context : "");
	return refuse(r, word_of(p),
		      reading ? mark_of(r->text, p->problem_offset) : p->problem_mark, what);
}

static int read_events(struct reader *r)
{
	for (;;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&r->parser, &event))
			return explain(r);
		yaml_event_type_t type = event.type;
		int rc = on_event(r, &event);
		yaml_event_delete(&event);
		if (rc < 0)
			return -1;
		if (type == YAML_STREAM_END_EVENT)
			return 0;
	}
}

/* ---- outside ---- */

/* libyaml would guess at other encodings, and end a text at NUL. */
static int check_encoding(struct reader *r)
{
	if (str_is_utf8(r->text) && !memchr(r->text.ptr, '\0', r->text.len))
		return 0;
	size_t at = 0, n = 1;
	while (at < r->text.len && r->text.ptr[at] && n) {
		n = str_utf8_length(r->text.ptr + at, r->text.len - at);
		at += n;
	}
	return refuse(r, "yaml_encoding", mark_of(r->text, at),
		      n ? "NUL is not allowed" : "not UTF-8");
}

/* Directives can only stand before everything but comments. */
static int refuse_directives(struct reader *r)
{
	size_t at = 0;

	while (at < r->text.len && r->text.ptr[at] && strchr("#\r\n", r->text.ptr[at]))
		at = str_find(r->text, '\n', at) + 1;
	if (at < r->text.len && r->text.ptr[at] == '%')
		return refuse(r, "yaml_directive", mark_of(r->text, at),
			      "directives are not allowed");
	return 0;
}

static int parse(struct reader *r)
{
	if (check_encoding(r) < 0)
		return -1;
	if (!yaml_parser_initialize(&r->parser))
		abort(); /* out of memory, as in mem.c */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.ptr, r->text.len);
	int rc = read_events(r);
	yaml_parser_delete(&r->parser);
	return rc;
}

static struct yaml_node *empty_map(void)
{
	struct yaml_node map = { .kind = YAML_MAP, .line = 1, .column = 1 };
	return xmemdup(&map, sizeof map);
}

int yaml_read(struct yaml_node **out, struct str text, const char *name, size_t limit_bytes,
	      struct err *err)
{
	struct reader *r = xnew(struct reader);
	/* libyaml would count a byte order mark as the first column of the first line. */
	r->text = str_starts(text, "\xef\xbb\xbf") ? str_after(text, 3) : text;
	r->name = name;
	r->err = err;
	int rc = refuse_directives(r);
	if (rc == 0 && text.len > limit_bytes)
		rc = err_set(err, ERR_LIMIT, "yaml_too_large",
			     "%.200s: %zu bytes are too many, the limit is %zu", name, text.len,
			     limit_bytes);
	if (rc == 0)
		rc = parse(r);
	for (; r->depth > 0; r->depth--) {
		free(r->stack[r->depth - 1].key);
		node_clear(&r->stack[r->depth - 1].node);
	}
	if (rc == 0)
		*out = r->root ? r->root : empty_map();
	else
		yaml_release(r->root);
	free(r);
	return rc;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->len; i++) {
		if (strcmp(map->items[i].key, key) == 0)
			return &map->items[i];
	}
	return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && !node->quoted &&
	       (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

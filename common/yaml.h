/*
 * yaml: a small tree whose nodes know their line and column, read with libyaml's event interface.
 *
 * Refused, with position: anchors and aliases ("yaml_alias"), tags and directives
 * ("yaml_directive"), duplicate keys ("yaml_duplicate"), depth over 64 ("yaml_depth"), more than
 * the byte limit ("yaml_too_large"), anything but UTF-8, NUL ("yaml_encoding"), a second document,
 * syntax errors ("yaml_syntax"). Messages read "FILE:LINE:COLUMN: …".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
	enum yaml_kind kind;
	int line, column; /* from 1 */
	bool quoted;      /* a scalar that was quoted is always a string */
	char *text;       /* scalar */
	char *key;        /* when the parent is a map */
	int key_line, key_column;
	struct yaml_node *items; /* map values or list items, in file order */
	size_t len;
};

/* `name` is for messages. *out is the root, released with yaml_release(). Empty text: an empty map.
 */
int yaml_read(struct yaml_node **out, struct str text, const char *name, size_t limit_bytes,
	      struct err *err);
void yaml_release(struct yaml_node *root);

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* or NULL */
bool yaml_is_null(const struct yaml_node *node);                                /* empty, ~, null */

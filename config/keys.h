/*
 * keys: the table of what may stand in the configuration file. Internal to config/.
 *
 * A row says what a key is called and where its value goes. Sections are maps in the file; their
 * values lie in the same struct, those of a list in a struct of their own for each item. To add a
 * key: a field in config.h, a row in keys.c, and `cmake --build build --target docs`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"

enum key_kind {
	KEY_TEXT,    /* char * */
	KEY_CHOICE,  /* char *, one of `choices` */
	KEY_PATH,    /* char *, made absolute, beside the configuration file */
	KEY_COUNT,   /* int64_t */
	KEY_SIZE,    /* int64_t; K, M, G in the file */
	KEY_DECIMAL, /* double */
	KEY_BOOL,    /* bool */
	KEY_SECRET,  /* struct secret; `from` is a char * */
	KEY_SECRETS, /* struct secret *, `len` of them; `from` is a struct strvec */
	KEY_TEXTS,   /* struct strvec */
	KEY_CHOICES, /* struct strvec, each one of `choices` */
	KEY_PORTS,   /* uint16_t *, `len` of them */
	KEY_CIDRS,   /* struct cidr *, `len` of them */
	KEY_SECTION, /* `keys` */
	KEY_LIST,    /* structs of `size` bytes, `len` of them, each with `keys` */
};

struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	size_t offset, len, from; /* in the struct */
	size_t size;
	const char *preset; /* the default, as it would stand in the file; NULL: unset */
	int64_t min, max;
	const char *const *choices;
	bool grows;                                      /* later versions will know more choices */
	int (*check)(struct str value, struct err *err); /* what the kind alone cannot say */
	const struct key *keys;
	const char *help;     /* one sentence or two */
	const char *unset_is; /* what it means when there is no preset */
};

/* The top of the file: struct config. Every table ends with a row without a name. */
extern const struct key config_keys[];

#define KEYS_FOREACH(key, table) for (const struct key *key = (table); key->name; key++)

#include "cli/options.h"

static const struct option_def *find_long(const struct option_def *table, struct str name)
{
	for (; table && table->name; table++) {
		if (str_is(name, table->name))
			return table;
	}
	return NULL;
}

static const struct option_def *find_short(const struct option_def *table, char letter)
{
	for (; table && table->name; table++) {
		if (table->letter == letter)
			return table;
	}
	return NULL;
}

static int unknown(struct str name, const struct option_def *own, const struct option_def *global,
		   struct err *err)
{
	const char *names[128];
	size_t n = 0;

	for (; own && own->name && n < ARRAY_LEN(names) - 1; own++)
		names[n++] = own->name;
	for (; global && global->name && n < ARRAY_LEN(names) - 1; global++)
		names[n++] = global->name;
	names[n] = NULL;
	const char *near = str_nearest(name, names);
	if (near)
		return err_set(err, ERR_INVALID, "usage",
			       "unknown option --%.60s (did you mean --%s?)",
			       str_slice(name, 0, 60).len ? name.ptr : "", near);
	return err_set(err, ERR_INVALID, "usage", "unknown option --%.60s", name.ptr);
}

static int assign(const struct option_def *def, const char *value, struct err *err)
{
	uint64_t number;

	switch (def->kind) {
	case OPTION_FLAG: *(bool *)def->target = true; return 0;
	case OPTION_TEXT: *(const char **)def->target = value; return 0;
	case OPTION_LIST: strvec_push(def->target, value); return 0;
	case OPTION_NUMBER:
		if (!str_to_u64(str_from(value), INT64_MAX, &number))
			return err_set(err, ERR_INVALID, "usage",
				       "--%s wants a number, not '%.60s'", def->name, value);
		*(int64_t *)def->target = (int64_t)number;
		return 0;
	case OPTION_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return err_set(err, ERR_INVALID, "usage",
				       "--%s wants true or false, not '%.60s'", def->name, value);
		*(bool *)def->target = value[0] == 't';
		return 0;
	}
	return 0;
}

/* The arguments that are still to be read. */
struct cursor {
	int argc, next;
	char **argv;
};

/* The value of `def`: what follows in the same word, else the next word. */
static int take_value(struct cursor *c, const struct option_def *def, const char *inlined,
		      struct err *err)
{
	if (def->kind == OPTION_FLAG) {
		if (inlined)
			return err_set(err, ERR_INVALID, "usage", "--%s takes no value", def->name);
		return assign(def, NULL, err);
	}
	if (inlined)
		return assign(def, inlined, err);
	if (c->next >= c->argc)
		return err_set(err, ERR_INVALID, "usage", "--%s wants a value: --%s %s", def->name,
			       def->name, def->argument);
	return assign(def, c->argv[c->next++], err);
}

static int take_long(struct cursor *c, const char *word, const struct option_def *own,
		     const struct option_def *global, struct err *err)
{
	struct str all = str_from(word);
	size_t equals = str_find(all, '=', 0);
	struct str name = str_slice(all, 0, equals);
	const struct option_def *def = find_long(own, name);

	if (!def)
		def = find_long(global, name);
	if (!def) {
		char *text = str_dup(name);
		int rc = unknown(str_from(text), own, global, err);
		free(text);
		return rc;
	}
	return take_value(c, def, equals < all.len ? word + equals + 1 : NULL, err);
}

/* "-qt IMAGE": flags may be joined; the first option with a value takes the rest of the word. */
static int take_short(struct cursor *c, const char *word, const struct option_def *own,
		      const struct option_def *global, struct err *err)
{
	for (const char *p = word; *p; p++) {
		const struct option_def *def = find_short(own, *p);
		if (!def)
			def = find_short(global, *p);
		if (!def)
			return err_set(err, ERR_INVALID, "usage", "unknown option -%c", *p);
		if (def->kind != OPTION_FLAG)
			return take_value(c, def, p[1] ? p + 1 : NULL, err);
		if (assign(def, NULL, err) < 0)
			return -1;
	}
	return 0;
}

int options_parse(const struct option_def *own, const struct option_def *global, int argc,
		  char **argv, struct strvec *operands, struct err *err)
{
	struct cursor c = { .argc = argc, .argv = argv };

	while (c.next < c.argc) {
		const char *word = c.argv[c.next++];
		int rc = 0;
		if (strcmp(word, "--") == 0) {
			while (c.next < c.argc)
				strvec_push(operands, c.argv[c.next++]);
		} else if (word[0] == '-' && word[1] == '-') {
			rc = take_long(&c, word + 2, own, global, err);
		} else if (word[0] == '-' && word[1]) {
			rc = take_short(&c, word + 1, own, global, err);
		} else {
			strvec_push(operands, word);
		}
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Is the value of this word's option the word behind it? `known`: is there such an option at all?
 */
static bool wants_next(const struct option_def *table, const char *word, bool *known)
{
	const struct option_def *def = NULL;

	if (word[1] == '-') {
		size_t equals = strcspn(word + 2, "=");
		def = find_long(table, (struct str){ word + 2, equals });
		*known = def != NULL;
		return def && def->kind != OPTION_FLAG && word[2 + equals] == '\0';
	}
	for (const char *p = word + 1; *p; p++) {
		def = find_short(table, *p);
		if (!def || def->kind != OPTION_FLAG) {
			*known = def != NULL;
			return def && p[1] == '\0';
		}
	}
	*known = true;
	return false;
}

int options_leading(const struct option_def *table, int argc, char **argv)
{
	int n = 0;

	while (n < argc && argv[n][0] == '-' && argv[n][1]) {
		bool known;
		bool next = wants_next(table, argv[n], &known);
		if (!known)
			break;
		n += next && n + 1 < argc ? 2 : 1;
	}
	return n;
}

void options_help(struct buf *out, const struct option_def *table)
{
	enum { COLUMN = 32 };

	for (; table && table->name; table++) {
		struct buf left = BUF_INIT;
		if (table->letter)
			buf_addf(&left, "  -%c, --%s", table->letter, table->name);
		else
			buf_addf(&left, "      --%s", table->name);
		if (table->argument)
			buf_addf(&left, " %s", table->argument);
		buf_addf(out, "%-*s %s\n", COLUMN, left.ptr, table->help);
		buf_release(&left);
	}
}

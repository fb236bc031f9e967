#include "config/value.h"

#include "common/fs.h"
#include "common/secret.h"
#include "common/strvec.h"
#include "model/address.h"

enum { TEXT_MAX = 4096 };

/* The field of the struct at `base` that a row of the table means. */
static void *field(const void *base, size_t offset)
{
	return (char *)base + offset;
}

static int refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "config_invalid", "%s", what);
}

/* ---- texts ---- */

static int check_text(const struct key *key, const char *text, struct err *err)
{
	struct str value = str_from(text);

	if (value.len == 0)
		return refuse(err, "must not be empty");
	if (value.len > TEXT_MAX || str_has_control(value))
		return refuse(err, "must be one line of text, 4096 bytes at most");
	return key->check ? key->check(value, err) : 0;
}

static int read_text(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	(void)s;
	if (check_text(key, text, err) < 0)
		return -1;
	*(char **)field(base, key->offset) = xstrdup(text);
	return 0;
}

static int read_path(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	if (check_text(key, text, err) < 0)
		return -1;
	if (*text == '~')
		return refuse(err, "write the whole path: '~' has no meaning here");
	*(char **)field(base, key->offset) =
		*text == '/' ? xstrdup(text) : fs_join(s->folder ? s->folder : "/", text);
	return 0;
}

static int check_choice(const struct key *key, const char *text, struct err *err)
{
	struct buf known = BUF_LIMIT(200);
	const char *const *c = key->choices;

	for (; *c; c++) {
		if (strcmp(*c, text) == 0) {
			buf_release(&known);
			return 0;
		}
		buf_addf(&known, "%s%s", known.len ? ", " : "", *c);
	}
	err_set(err, ERR_INVALID, "config_invalid", "'%.60s' is not %s; known: %s", text,
		key->grows ? "available in this version" : "one of them", buf_str(&known).ptr);
	buf_release(&known);
	return -1;
}

static int read_choice(void *base, const struct key *key, const char *text, const struct source *s,
		       struct err *err)
{
	return check_choice(key, text, err) < 0 ? -1 : read_text(base, key, text, s, err);
}

static int read_choices(void *base, const struct key *key, const char *text, const struct source *s,
			struct err *err)
{
	struct strvec *list = field(base, key->offset);

	(void)s;
	if (check_choice(key, text, err) < 0)
		return -1;
	if (strvec_find(list, text) >= 0)
		return refuse(err, "stands in the list twice");
	strvec_push(list, text);
	return 0;
}

static int read_texts(void *base, const struct key *key, const char *text, const struct source *s,
		      struct err *err)
{
	(void)s;
	if (check_text(key, text, err) < 0)
		return -1;
	strvec_push(field(base, key->offset), text);
	return 0;
}

static int read_cidr(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	struct cidr *list = *(struct cidr **)field(base, key->offset);
	size_t *len = field(base, key->len);

	(void)s;
	if (cidr_parse(&list[*len], str_from(text)) < 0)
		return err_set(err, ERR_INVALID, "config_invalid",
			       "'%.60s' is no network; write one as 10.0.0.0/8 or fd00::/8", text);
	(*len)++;
	return 0;
}

/* ---- numbers ---- */

static int refuse_range(const struct key *key, struct err *err)
{
	struct buf low = BUF_INIT, high = BUF_INIT;
	bool size = key->kind == KEY_SIZE;

	size_print(&low, key->min, size);
	size_print(&high, key->max, size);
	err_set(err, ERR_INVALID, "config_invalid", "must be a %s from %s to %s",
		key->kind == KEY_DECIMAL ? "number"
		: size                   ? "size in bytes (K, M and G may follow)"
					 : "whole number",
		low.ptr, high.ptr);
	buf_release(&low);
	buf_release(&high);
	return -1;
}

static int read_count(void *base, const struct key *key, const char *text, const struct source *s,
		      struct err *err)
{
	uint64_t value;

	(void)s;
	if (!str_to_u64(str_from(text), (uint64_t)key->max, &value) || (int64_t)value < key->min)
		return refuse_range(key, err);
	*(int64_t *)field(base, key->offset) = (int64_t)value;
	return 0;
}

static int read_port(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	uint16_t *list = *(uint16_t **)field(base, key->offset);
	size_t *len = field(base, key->len);
	uint64_t value;

	(void)s;
	if (!str_to_u64(str_from(text), (uint64_t)key->max, &value) || (int64_t)value < key->min)
		return refuse_range(key, err);
	list[(*len)++] = (uint16_t)value;
	return 0;
}

static int read_size(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	static const char units[] = "KMG";
	struct str digits = str_from(text);
	unsigned shift = 0;
	uint64_t value;

	(void)s;
	const char *unit = digits.len ? strchr(units, digits.ptr[digits.len - 1]) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		digits.len--;
	}
	if (!str_to_u64(digits, (uint64_t)key->max >> shift, &value) ||
	    (int64_t)(value << shift) < key->min)
		return refuse_range(key, err);
	*(int64_t *)field(base, key->offset) = (int64_t)(value << shift);
	return 0;
}

static int read_decimal(void *base, const struct key *key, const char *text, const struct source *s,
			struct err *err)
{
	(void)s;
	char *end;
	double value = strtod(text, &end);
	/* strtod() also knows signs, exponents, hexadecimal and "inf". */
	bool plain = *text && strspn(text, "0123456789.") == strlen(text) && *end == '\0';
	if (!plain || value < (double)key->min || value > (double)key->max)
		return refuse_range(key, err);
	*(double *)field(base, key->offset) = value;
	return 0;
}

static int read_bool(void *base, const struct key *key, const char *text, const struct source *s,
		     struct err *err)
{
	(void)s;
	bool yes = strcmp(text, "true") == 0;
	if (!yes && strcmp(text, "false") != 0)
		return refuse(err, "must be true or false");
	*(bool *)field(base, key->offset) = yes;
	return 0;
}

/* ---- secrets ---- */

/* Load a secret; *from is what config_print() shows instead of it. */
static int load_secret(struct secret *out, char **from, const char *text, const struct source *s,
		       struct err *err)
{
	struct str value = str_from(text);
	bool file = str_starts(value, "file:"), literal = !file && !str_starts(value, "env:");
	char *whole = xstrdup(text);

	if (file && text[5] != '/' && s->folder) {
		free(whole);
		char *path = fs_join(s->folder, text + 5);
		whole = xasprintf("file:%s", path);
		free(path);
	}
	int rc = secret_load(out, whole, s->is_private, err);
	if (rc == 0)
		*from = xstrdup(literal ? "(literal)" : whole);
	free(whole);
	return rc;
}

static int read_secret(void *base, const struct key *key, const char *text, const struct source *s,
		       struct err *err)
{
	return load_secret(field(base, key->offset), field(base, key->from), text, s, err);
}

static int read_secrets(void *base, const struct key *key, const char *text, const struct source *s,
			struct err *err)
{
	struct secret *list = *(struct secret **)field(base, key->offset);
	size_t *len = field(base, key->len);
	char *from = NULL;

	if (load_secret(&list[*len], &from, text, s, err) < 0)
		return -1;
	(*len)++;
	strvec_push_take(field(base, key->from), from);
	return 0;
}

/* ---- by kind ---- */

static const struct kind {
	int (*read)(void *base, const struct key *key, const char *text, const struct source *s,
		    struct err *err);
	size_t item_bytes; /* of a list of values */
	bool is_list;
	bool may_be_quoted;
} kinds[] = {
	[KEY_TEXT] = { read_text, .may_be_quoted = true },
	[KEY_CHOICE] = { read_choice, .may_be_quoted = true },
	[KEY_PATH] = { read_path, .may_be_quoted = true },
	[KEY_COUNT] = { read_count },
	[KEY_SIZE] = { read_size },
	[KEY_DECIMAL] = { read_decimal },
	[KEY_BOOL] = { read_bool },
	[KEY_SECRET] = { read_secret, .may_be_quoted = true },
	[KEY_SECRETS] = { read_secrets, sizeof(struct secret), true, true },
	[KEY_TEXTS] = { read_texts, 0, true, true },
	[KEY_CHOICES] = { read_choices, 0, true, true },
	[KEY_PORTS] = { read_port, sizeof(uint16_t), true, false },
	[KEY_CIDRS] = { read_cidr, sizeof(struct cidr), true, true },
};

bool value_is_list(enum key_kind kind)
{
	return kind < ARRAY_LEN(kinds) && kinds[kind].is_list;
}

void value_reserve(void *base, const struct key *key, size_t items)
{
	if (kinds[key->kind].item_bytes)
		*(void **)field(base, key->offset) = xcalloc(items, kinds[key->kind].item_bytes);
}

int value_read(void *base, const struct key *key, const struct yaml_node *node,
	       const struct source *s, struct err *err)
{
	const struct kind *kind = &kinds[key->kind];

	if (node->kind != YAML_SCALAR)
		return refuse(err, node->kind == YAML_MAP
					   ? "must be one value, not keys with values"
					   : "must be one value, not a list");
	if (node->quoted && !kind->may_be_quoted)
		return refuse(err, key->kind == KEY_BOOL ? "must be true or false, without quotes"
							 : "must be a number, without quotes");
	return kind->read(base, key, node->text, s, err);
}

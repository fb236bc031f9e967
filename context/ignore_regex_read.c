/* Reading: the part of Go's regexp/syntax (Perl flags) that can come out of an ignore pattern. */
#include "context/ignore_regex.h"
#include "context/runes.h"

enum { RUNE_MAX = 0x10ffff };

struct reader {
	const char *p, *end;
	struct regex *regex;
	bool quoted; /* between \Q and \E: all literal */
};

struct named_class {
	const char *name;
	struct regex_range ranges[4];
};

static const struct named_class perl_classes[] = {
	{ "d", { { '0', '9' } } },
	{ "s", { { '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' } } },
	{ "w", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
	{ NULL },
};

/* In order of their ranges, which the negation relies on. */
static const struct named_class posix_classes[] = {
	{ "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
	{ "alpha", { { 'A', 'Z' }, { 'a', 'z' } } },
	{ "ascii", { { 0, 0x7f } } },
	{ "blank", { { '\t', '\t' }, { ' ', ' ' } } },
	{ "cntrl", { { 0, 0x1f }, { 0x7f, 0x7f } } },
	{ "digit", { { '0', '9' } } },
	{ "graph", { { '!', '~' } } },
	{ "lower", { { 'a', 'z' } } },
	{ "print", { { ' ', '~' } } },
	{ "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } } },
	{ "space", { { '\t', '\r' }, { ' ', ' ' } } },
	{ "upper", { { 'A', 'Z' } } },
	{ "word", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
	{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
	{ NULL },
};

static void add_range(struct regex_item *item, uint32_t lo, uint32_t hi)
{
	struct regex_range *own = item->len > 1 ? item->ranges : NULL;

	if (item->len == 0) {
		item->ranges = &item->one;
	} else {
		own = xreallocarray(own, item->len + 1, sizeof *own);
		if (item->len == 1)
			own[0] = item->one;
		item->ranges = own;
	}
	item->ranges[item->len++] = (struct regex_range){ lo, hi };
}

/* The class of that name, or what is not in it. False: there is none. */
static bool add_named(struct regex_item *item, const struct named_class *table, struct str name,
		      bool negated)
{
	while (table->name && !str_is(name, table->name))
		table++;
	if (!table->name)
		return false;

	uint32_t gap = 0;
	for (size_t i = 0; i < ARRAY_LEN(table->ranges) && table->ranges[i].hi; i++) {
		const struct regex_range *range = &table->ranges[i];
		if (!negated)
			add_range(item, range->lo, range->hi);
		else if (range->lo > gap)
			add_range(item, gap, range->lo - 1);
		gap = range->hi + 1;
	}
	if (negated)
		add_range(item, gap, RUNE_MAX);
	return true;
}

/* "\d", "\W", … at p. */
static bool add_perl_class(struct reader *r, struct regex_item *item)
{
	if (r->end - r->p < 2 || r->p[0] != '\\')
		return false;
	bool upper = r->p[1] >= 'A' && r->p[1] <= 'Z';
	char letter = (char)(upper ? r->p[1] | 0x20 : r->p[1]);
	if (!add_named(item, perl_classes, (struct str){ &letter, 1 }, upper))
		return false;
	r->p += 2;
	return true;
}

/* "[:alpha:]" or "[:^alpha:]" at p, inside of a class. False: it stands there for itself. */
static bool add_posix_class(struct reader *r, struct regex_item *item, bool *unknown)
{
	struct str rest = { r->p, (size_t)(r->end - r->p) };
	size_t close = 2;

	if (rest.len < 3 || !str_starts(rest, "[:"))
		return false;
	while (close + 1 < rest.len && !(rest.ptr[close] == ':' && rest.ptr[close + 1] == ']'))
		close++;
	if (close + 1 >= rest.len)
		return false;
	bool negated = rest.ptr[2] == '^';
	*unknown =
		!add_named(item, posix_classes, str_slice(rest, negated ? 3 : 2, close), negated);
	r->p += close + 2;
	return true;
}

static int digit_of(const struct reader *r, int base)
{
	char c = r->p < r->end ? *r->p : '\0';
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 16;
	return value < base ? value : -1;
}

/* "\101": up to three octal digits, of which the first is read. */
static uint32_t read_octal(struct reader *r, uint32_t rune)
{
	for (int i = 1; i < 3 && digit_of(r, 8) >= 0; i++, r->p++)
		rune = rune * 8 + (uint32_t)digit_of(r, 8);
	return rune;
}

/* "\x41". The form in braces cannot come: ignore_glob.c escapes them. */
static bool read_hex(struct reader *r, uint32_t *rune)
{
	*rune = 0;
	for (int i = 0; i < 2; i++, r->p++) {
		if (digit_of(r, 16) < 0)
			return false;
		*rune = *rune * 16 + (uint32_t)digit_of(r, 16);
	}
	return true;
}

/* Behind a backslash: a single rune. False: no such escape. */
static bool read_escape(struct reader *r, uint32_t *rune)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";

	if (r->p == r->end)
		return false;
	r->p += rune_decode(r->p, r->end, rune);
	if (*rune == '0')
		return *rune = read_octal(r, 0), true;
	if (*rune >= '1' && *rune <= '7') /* alone it would be a back-reference */
		return digit_of(r, 8) >= 0 && (*rune = read_octal(r, *rune - '0'), true);
	if (*rune == 'x')
		return read_hex(r, rune);
	const char *known = *rune && *rune < 0x80 ? strchr(letters, (int)*rune) : NULL;
	if (known)
		return *rune = (uint32_t)values[known - letters], true;
	bool letter = (*rune | 0x20) >= 'a' && (*rune | 0x20) <= 'z';
	return *rune < 0x80 && !letter && *rune != '8' && *rune != '9';
}

static bool class_rune(struct reader *r, uint32_t *rune)
{
	if (r->p == r->end)
		return false;
	if (*r->p == '\\') {
		r->p++;
		return read_escape(r, rune);
	}
	r->p += rune_decode(r->p, r->end, rune);
	return true;
}

/* Behind '['. */
static bool read_class(struct reader *r, struct regex_item *item)
{
	bool first = true, unknown = false;
	uint32_t lo, hi;

	if (r->p < r->end && *r->p == '^') {
		item->negated = true;
		r->p++;
	}
	for (; r->p < r->end && (*r->p != ']' || first); first = false) {
		if (add_posix_class(r, item, &unknown)) {
			if (unknown)
				return false;
			continue;
		}
		if (add_perl_class(r, item))
			continue;
		if (!class_rune(r, &lo))
			return false;
		hi = lo;
		if (r->end - r->p >= 2 && r->p[0] == '-' && r->p[1] != ']') {
			r->p++;
			if (!class_rune(r, &hi) || hi < lo)
				return false;
		}
		add_range(item, lo, hi);
	}
	if (r->p == r->end)
		return false;
	r->p++;
	return true;
}

/* Escapes that hold at a place and take no rune. */
static bool read_place(struct reader *r, struct regex_item *item)
{
	static const struct {
		char letter;
		enum regex_kind kind;
	} places[] = { { 'A', REGEX_BEGIN },
		       { 'z', REGEX_END },
		       { 'b', REGEX_EDGE },
		       { 'B', REGEX_NO_EDGE } };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (r->p < r->end && *r->p == places[i].letter) {
			item->kind = places[i].kind;
			r->p++;
			return true;
		}
	}
	return false;
}

/* One item at p, which is no quotation's. */
static bool read_item(struct reader *r, struct regex_item *item)
{
	static const char folders[] = "(.*"
				      "/)?";
	struct str rest = { r->p, (size_t)(r->end - r->p) };
	uint32_t rune;

	if (str_starts(rest, folders)) {
		item->kind = REGEX_FOLDERS;
		r->p += sizeof folders - 1;
		return true;
	}
	if (add_perl_class(r, item))
		return true;
	r->p += rune_decode(r->p, r->end, &rune);
	switch (rune) {
	case '^': item->kind = REGEX_BEGIN; return true;
	case '$': item->kind = REGEX_END; return true;
	case '[': return read_class(r, item);
	case '.':
		item->negated = true;
		add_range(item, '\n', '\n');
		return true;
	case '*': return false; /* nothing to repeat */
	case '\\':
		if (read_place(r, item))
			return true;
		if (!read_escape(r, &rune))
			return false;
		break;
	default: break;
	}
	add_range(item, rune, rune);
	return true;
}

/* \Q and \E. True: one of them was at p and is behind us. */
static bool read_quote(struct reader *r)
{
	if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != (r->quoted ? 'E' : 'Q'))
		return false;
	r->quoted = !r->quoted;
	r->p += 2;
	return true;
}

static bool read_all(struct reader *r)
{
	while (r->p < r->end) {
		if (read_quote(r))
			continue;
		struct regex_item *item = &r->regex->items[r->regex->len++];
		if (r->quoted) {
			uint32_t rune;
			r->p += rune_decode(r->p, r->end, &rune);
			add_range(item, rune, rune);
			continue;
		}
		if (!read_item(r, item))
			return false;
		if (r->p < r->end && *r->p == '*') {
			item->star = true;
			r->p++;
		}
	}
	/* A quotation that is not closed, or a backslash, swallowed the '$'. */
	size_t len = r->regex->len;
	r->regex->open_end = len == 0 || r->regex->items[len - 1].kind != REGEX_END;
	return true;
}

struct regex *regex_compile(struct str expression)
{
	struct regex *regex = xnew(struct regex);
	struct reader r = { expression.ptr, expression.ptr + expression.len, regex, false };

	regex->items = xcalloc(expression.len + 1, sizeof *regex->items);
	if (read_all(&r))
		return regex;
	regex_destroy(regex);
	return NULL;
}

void regex_destroy(struct regex *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->len; i++) {
		if (r->items[i].len > 1)
			free(r->items[i].ranges);
	}
	free(r->items);
	free(r);
}

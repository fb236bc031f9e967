#include "context/ignore_regex.h"

#include "context/runes.h"

struct range {
	uint32_t lo, hi;
};

enum item_kind {
	ITEM_CLASS,   /* one rune of the ranges (a literal is a range of one) */
	ITEM_FOLDERS, /* the optional group: nothing, or anything up to and with a '/' */
	ITEM_BEGIN,   /* '^': holds at the beginning only */
	ITEM_END,     /* '$': holds at the end only */
};

struct item {
	enum item_kind kind;
	bool star;    /* any number of times */
	bool negated; /* the class is what is not in the ranges */
	struct range *ranges;
	size_t len;
};

/*
 * Positions: 2 * i is "before item i", 2 * i + 1 is "inside the folders of item i". The last even
 * one is the end of the expression.
 */
struct regex {
	struct item *items;
	size_t len;
};

/* ---- reading ---- */

struct reader {
	const char *p, *end;
	struct regex *regex;
};

static void add_range(struct item *item, uint32_t lo, uint32_t hi)
{
	item->ranges = xreallocarray(item->ranges, item->len + 1, sizeof *item->ranges);
	item->ranges[item->len++] = (struct range){ lo, hi };
}

/* \d \s \w and their opposites, as ranges. False: it is none of them. */
static bool add_perl_class(struct item *item, char letter)
{
	static const struct {
		char letter;
		struct range ranges[6];
	} classes[] = {
		{ 'd', { { '0', '9' } } },
		{ 's', { { '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' } } },
		{ 'w', { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
		{ 'D', { { 1, '0' - 1 }, { '9' + 1, 0x10ffff } } },
		{ 'S',
		  { { 1, '\t' - 1 }, { 0x0b, 0x0b }, { 0x0e, ' ' - 1 }, { ' ' + 1, 0x10ffff } } },
		{ 'W',
		  { { 1, '0' - 1 },
		    { '9' + 1, 'A' - 1 },
		    { 'Z' + 1, '_' - 1 },
		    { '_' + 1, 'a' - 1 },
		    { 'z' + 1, 0x10ffff } } },
	};

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (classes[i].letter != letter)
			continue;
		for (const struct range *r = classes[i].ranges; r->hi; r++)
			add_range(item, r->lo, r->hi);
		return true;
	}
	return false;
}

/* Behind a backslash: a single rune. False: no such escape. */
static bool read_escape(struct reader *r, uint32_t *rune)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	size_t n = rune_decode(r->p, r->end, rune);
	const char *known = *rune < 0x80 ? strchr(letters, (int)*rune) : NULL;
	bool word = (*rune >= '0' && *rune <= '9') || (*rune >= 'a' && *rune <= 'z') ||
		    (*rune >= 'A' && *rune <= 'Z');

	r->p += n;
	if (known && *known)
		*rune = (uint32_t)values[known - letters];
	else if (word || *rune >= 0x80)
		return false;
	return true;
}

/* "[:alpha:]" inside of a class. False: it stands there for itself. */
static bool add_posix_class(struct reader *r, struct item *item, bool *bad)
{
	static const struct {
		const char *name;
		struct range ranges[5];
	} classes[] = {
		{ "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
		{ "alpha", { { 'A', 'Z' }, { 'a', 'z' } } },
		{ "digit", { { '0', '9' } } },
		{ "lower", { { 'a', 'z' } } },
		{ "upper", { { 'A', 'Z' } } },
		{ "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } } },
		{ "space", { { '\t', '\r' }, { ' ', ' ' } } },
		{ "blank", { { '\t', '\t' }, { ' ', ' ' } } },
		{ "word", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' }, { '_', '_' } } },
		{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
	};
	struct str rest = { r->p, (size_t)(r->end - r->p) };
	size_t close = 2;

	if (!str_starts(rest, "[:"))
		return false;
	while (close + 1 < rest.len && !(rest.ptr[close] == ':' && rest.ptr[close + 1] == ']'))
		close++;
	if (close + 1 >= rest.len)
		return false;
	*bad = true;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (!str_is(str_slice(rest, 2, close), classes[i].name))
			continue;
		for (const struct range *range = classes[i].ranges; range->hi; range++)
			add_range(item, range->lo, range->hi);
		*bad = false;
	}
	r->p += close + 2;
	return true;
}

static bool class_rune(struct reader *r, uint32_t *rune)
{
	if (r->p == r->end)
		return false;
	if (*r->p == '\\') {
		r->p++;
		return r->p < r->end && read_escape(r, rune);
	}
	r->p += rune_decode(r->p, r->end, rune);
	return true;
}

/* Behind '['. */
static bool read_class(struct reader *r, struct item *item)
{
	bool first = true, bad = false;
	uint32_t lo, hi;

	if (r->p < r->end && *r->p == '^') {
		item->negated = true;
		r->p++;
	}
	for (; r->p < r->end && (*r->p != ']' || first); first = false) {
		if (add_posix_class(r, item, &bad)) {
			if (bad)
				return false;
			continue;
		}
		if (*r->p == '\\' && r->p + 1 < r->end && add_perl_class(item, r->p[1])) {
			r->p += 2;
			continue;
		}
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

static bool read_item(struct reader *r, struct item *item)
{
	static const char folders[] = "(.*"
				      "/)?";
	struct str rest = { r->p, (size_t)(r->end - r->p) };
	uint32_t rune;

	if (str_starts(rest, folders)) {
		item->kind = ITEM_FOLDERS;
		r->p += sizeof folders - 1;
		return true;
	}
	r->p += rune_decode(r->p, r->end, &rune);
	switch (rune) {
	case '^': item->kind = ITEM_BEGIN; return true;
	case '$': item->kind = ITEM_END; return true;
	case '[': return read_class(r, item);
	case '.':
		item->negated = true;
		add_range(item, '\n', '\n');
		return true;
	case '*': return false; /* nothing to repeat */
	case '\\':
		if (r->p == r->end)
			return false;
		if (add_perl_class(item, *r->p)) {
			r->p++;
			return true;
		}
		if (!read_escape(r, &rune))
			return false;
		break;
	default: break;
	}
	add_range(item, rune, rune);
	return true;
}

struct regex *regex_compile(struct str expression)
{
	struct regex *regex = xnew(struct regex);
	struct reader r = { expression.ptr, expression.ptr + expression.len, regex };

	regex->items = xcalloc(expression.len + 1, sizeof *regex->items);
	while (r.p < r.end) {
		struct item *item = &regex->items[regex->len++];
		if (!read_item(&r, item)) {
			regex_destroy(regex);
			return NULL;
		}
		if (r.p < r.end && *r.p == '*') {
			item->star = true;
			r.p++;
		}
	}
	return regex;
}

void regex_destroy(struct regex *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->len; i++)
		free(r->items[i].ranges);
	free(r->items);
	free(r);
}

/* ---- running ---- */

static bool item_takes(const struct item *item, uint32_t rune)
{
	bool in = false;

	for (size_t i = 0; i < item->len && !in; i++)
		in = rune >= item->ranges[i].lo && rune <= item->ranges[i].hi;
	return in != item->negated;
}

/* Where one can be without taking a rune: forward over what may be left out. One pass, left to
 * right. */
static bool spread(const struct regex *r, unsigned char *at, bool is_begin)
{
	bool any = false;

	for (size_t i = 0; i < r->len; i++) {
		const struct item *item = &r->items[i];
		any |= at[2 * i] || at[2 * i + 1];
		if (at[2 * i] && (item->star || item->kind == ITEM_FOLDERS ||
				  (item->kind == ITEM_BEGIN && is_begin)))
			at[2 * (i + 1)] = 1;
	}
	return any || at[2 * r->len];
}

static void step(const struct regex *r, const unsigned char *from, unsigned char *to, uint32_t rune)
{
	memset(to, 0, 2 * r->len + 1);
	for (size_t i = 0; i < r->len; i++) {
		const struct item *item = &r->items[i];
		bool before = from[2 * i], inside = from[2 * i + 1];
		if (item->kind == ITEM_FOLDERS && (before || inside)) {
			to[2 * i + 1] |= rune != '\n';
			to[2 * (i + 1)] |= rune == '/';
		} else if (item->kind == ITEM_CLASS && before && item_takes(item, rune)) {
			to[2 * (item->star ? i : i + 1)] = 1;
		}
	}
}

/* Does the expression hold if the text ended here? Only '$' and what may be empty may still come.
 */
static bool accepts(const struct regex *r, const unsigned char *at)
{
	size_t i = r->len;

	for (;;) {
		if (at[2 * i])
			return true;
		if (i == 0)
			return false;
		const struct item *item = &r->items[--i];
		if (item->kind != ITEM_END && item->kind != ITEM_FOLDERS && !item->star)
			return false;
	}
}

bool regex_matches_prefix(const struct regex *r, struct str text, char separator)
{
	size_t positions = 2 * r->len + 1;
	unsigned char *at = xcalloc(2, positions), *next = at + positions, *memory = at;
	const char *p = text.ptr, *end = text.ptr + text.len;
	bool matched = false;

	at[0] = 1;
	for (bool more = spread(r, at, true); more; more = spread(r, at, false)) {
		if (p == end || (*p == separator && p > text.ptr)) {
			matched = accepts(r, at);
			if (matched || p == end)
				break;
		}
		uint32_t rune;
		p += rune_decode(p, end, &rune);
		step(r, at, next, rune);
		unsigned char *swap = at;
		at = next;
		next = swap;
	}
	free(memory);
	return matched;
}

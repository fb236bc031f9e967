/* Running. Positions: 2 * i is "before item i", 2 * i + 1 is "inside the folders of item i"; the
 * last one, 2 * len, is the end of the expression. */
#include "context/ignore_regex.h"
#include "context/runes.h"

enum { SMALL_POSITIONS = 512 };

/* Where in the text a set of positions stands. */
struct place {
	bool begin, end;
	bool word_before, word_behind;
};

/* A set of positions: those from `lo` to `hi` may be in it, no others. */
struct set {
	unsigned char *at;
	size_t lo, hi;
};

static bool is_word(uint32_t rune)
{
	return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') ||
	       (rune >= 'a' && rune <= 'z') || rune == '_';
}

static bool item_takes(const struct regex_item *item, uint32_t rune)
{
	bool in = false;

	for (size_t i = 0; i < item->len && !in; i++)
		in = rune >= item->ranges[i].lo && rune <= item->ranges[i].hi;
	return in != item->negated;
}

/* May the item be passed here without taking a rune? */
static bool item_passes(const struct regex_item *item, const struct place *place)
{
	switch (item->kind) {
	case REGEX_CLASS: return item->star;
	case REGEX_FOLDERS: return true;
	case REGEX_BEGIN: return place->begin;
	case REGEX_END: return place->end;
	case REGEX_EDGE: return place->word_before != place->word_behind;
	case REGEX_NO_EDGE: return place->word_before == place->word_behind;
	}
	return false;
}

static void set_add(struct set *set, size_t position)
{
	set->at[position] = 1;
	if (position < set->lo)
		set->lo = position;
	if (position > set->hi)
		set->hi = position;
}

static bool set_is_empty(const struct set *set)
{
	return set->lo > set->hi;
}

/* Nothing but what was added between lo and hi has to be cleared. */
static void set_clear(struct set *set)
{
	if (!set_is_empty(set))
		memset(set->at + set->lo, 0, set->hi - set->lo + 1);
	set->lo = SIZE_MAX;
	set->hi = 0;
}

/* Add what is reached without taking a rune. One pass, left to right; hi grows under way. */
static void spread(const struct regex *r, struct set *set, const struct place *place)
{
	for (size_t i = set->lo / 2; !set_is_empty(set) && 2 * i <= set->hi && i < r->len; i++) {
		if (set->at[2 * i] && item_passes(&r->items[i], place))
			set_add(set, 2 * (i + 1));
	}
}

static void step(const struct regex *r, const struct set *from, struct set *to, uint32_t rune)
{
	set_clear(to);
	for (size_t i = from->lo / 2; 2 * i <= from->hi && i < r->len; i++) {
		const struct regex_item *item = &r->items[i];
		bool before = from->at[2 * i], inside = from->at[2 * i + 1];
		if (item->kind == REGEX_FOLDERS && (before || inside)) {
			if (rune != '\n')
				set_add(to, 2 * i + 1);
			if (rune == '/')
				set_add(to, 2 * (i + 1));
		} else if (item->kind == REGEX_CLASS && before && item_takes(item, rune)) {
			set_add(to, 2 * (item->star ? i : i + 1));
		}
	}
}

/* Would the expression hold if the text ended here? */
static bool accepts(const struct regex *r, const struct set *set, struct set *scratch,
		    const struct place *place)
{
	struct place last = { place->begin, true, place->word_before, false };

	set_clear(scratch);
	for (size_t i = set->lo; !set_is_empty(set) && i <= set->hi; i++) {
		if (set->at[i])
			set_add(scratch, i);
	}
	spread(r, scratch, &last);
	return scratch->at[2 * r->len];
}

static bool run(const struct regex *r, struct str text, struct set sets[3])
{
	struct set *now = &sets[0], *next = &sets[1];
	struct place place = { .begin = true };
	const char *p = text.ptr, *end = text.ptr + text.len;

	set_add(now, 0);
	for (;;) {
		uint32_t rune = 0;
		size_t n = p < end ? rune_decode(p, end, &rune) : 0;
		if ((p == end || (rune == '/' && p > text.ptr)) &&
		    accepts(r, now, &sets[2], &place))
			return true;
		if (p == end)
			return false;
		place.word_behind = is_word(rune);
		spread(r, now, &place);
		if (r->open_end && now->at[2 * r->len])
			return true;
		step(r, now, next, rune);
		if (set_is_empty(next))
			return false;
		struct set *swap = now;
		now = next;
		next = swap;
		p += n;
		place.begin = false;
		place.word_before = place.word_behind;
	}
}

bool regex_matches_path_or_parent(const struct regex *r, struct str text)
{
	unsigned char small[3 * SMALL_POSITIONS];
	size_t positions = 2 * r->len + 2;
	unsigned char *large = positions > SMALL_POSITIONS ? xcalloc(3, positions) : NULL;
	struct set sets[3];

	if (!large)
		memset(small, 0, 3 * positions);
	for (size_t i = 0; i < 3; i++)
		sets[i] = (struct set){ (large ? large : small) + i * positions, SIZE_MAX, 0 };
	bool matched = run(r, text, sets);
	free(large);
	return matched;
}

/* ---- what is literal ---- */

static bool is_literal(const struct regex_item *item)
{
	return item->kind == REGEX_CLASS && !item->star && !item->negated && item->len == 1 &&
	       item->ranges[0].lo == item->ranges[0].hi && item->ranges[0].lo != RUNE_ERROR;
}

void regex_head(const struct regex *r, struct buf *out)
{
	size_t i = 0;

	while (i < r->len && r->items[i].kind == REGEX_BEGIN)
		i++;
	for (; i < r->len && is_literal(&r->items[i]); i++)
		rune_encode(out, r->items[i].ranges[0].lo);
}

static bool may_take_slash(const struct regex_item *item)
{
	return item->kind == REGEX_FOLDERS || (item->kind == REGEX_CLASS && item_takes(item, '/'));
}

/* Does the expression end here? */
static bool is_end(const struct regex *r, size_t i)
{
	while (i < r->len && r->items[i].kind == REGEX_END)
		i++;
	return i == r->len && !r->open_end;
}

void regex_clues(const struct regex *r, clue_fn *clue, void *data)
{
	struct buf text = BUF_INIT;
	bool edge = false;    /* can nothing but a '/' stand before item i? */
	size_t last = r->len; /* the items from here on take no '/' */

	while (last && !may_take_slash(&r->items[last - 1]))
		last--;

	for (size_t i = 0; i < r->len;) {
		if (!is_literal(&r->items[i])) {
			enum regex_kind kind = r->items[i++].kind;
			edge = kind == REGEX_BEGIN || (kind == REGEX_FOLDERS && edge);
			continue;
		}
		buf_clear(&text);
		if (edge)
			buf_addc(&text, '/');
		for (; i < r->len && is_literal(&r->items[i]); i++)
			rune_encode(&text, r->items[i].ranges[0].lo);
		edge = text.ptr[text.len - 1] == '/';
		size_t part = text.len;
		while (part && text.ptr[part - 1] != '/')
			part--;
		if (is_end(r, i))
			buf_addc(&text, '/');
		clue(data, buf_str(&text), i >= last && !r->open_end ? part : CLUE_NOT_LAST);
	}
	buf_release(&text);
}

#include "context/ignore_index.h"

#include <endian.h>

#include "common/buf.h"
#include "context/ignore_glob.h"

/* How a text lies in its part. */
enum place {
	PLACE_WHOLE,
	PLACE_BEGIN,
	PLACE_END,
	PLACE_ANY,
	PLACES,
};

enum {
	LENGTH_MAX = 8, /* bytes of a longer text that count, but for PLACE_WHOLE */
	NONE = UINT32_MAX,
	FILTER_BITS = 16, /* for each entry, so that most look-ups end at a bit that is not set */
};

/* A text, as a hash: two of one hash only mean that a rule is tried in vain. */
struct entry {
	uint64_t hash;  /* 0: free */
	uint32_t uses;  /* how many rules could be filed here */
	uint32_t first; /* the first that is, or NONE */
};

/* A rule could be filed under this text. */
struct choice {
	uint64_t hash;
	uint32_t rule;
	unsigned char place, length;
	bool closing;         /* the part is the last one of a match */
	unsigned char weight; /* how much of the path it tells */
};

/* What the last part of a match begins and ends with, as far as that is known: in `texts`. */
struct ending {
	size_t begin, begin_len;
	size_t end, end_len;
	bool whole; /* it is no longer than `end` */
};

struct ignore_index {
	struct choice *choices;
	size_t choices_len, choices_cap;
	struct entry *entries; /* open addressing; a power of two, at most half full */
	size_t mask;
	uint64_t *filter; /* bits of the hashes that rules are filed under */
	size_t filter_mask;
	bool used[PLACES][LENGTH_MAX + 1]; /* is a rule filed under such a text? */
	uint32_t *next;         /* of each rule: the next one of the same text, or NONE */
	struct ending *endings; /* of each rule */
	struct buf texts;
	bool *closes;
	struct rule_list always;
	size_t rules;
};

void rule_list_push(struct rule_list *list, uint32_t rule)
{
	if (list->len == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 16;
		list->at = xreallocarray(list->at, list->cap, sizeof *list->at);
	}
	list->at[list->len++] = rule;
}

void rule_list_release(struct rule_list *list)
{
	free(list->at);
	*list = (struct rule_list){ 0 };
}

/* ---- hashes ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* At most 8 bytes as a word, the first one lowest. */
static uint64_t load(const char *p, size_t n)
{
	uint64_t word = 0;

	if (n == sizeof word)
		memcpy(&word, p, sizeof word);
	else
		memcpy(&word, p, n);
	return le64toh(word);
}

/* Of n bytes, in the lower ones of `word`. Never 0. */
static uint64_t hash_of(enum place place, uint64_t word, size_t n)
{
	return mix((uint64_t)place << 4 | n, word) | 1;
}

static uint64_t hash_whole(struct str part)
{
	uint64_t hash = 0x2545f4914f6cdd1du + part.len;
	size_t i = 0;

	for (; i + 8 <= part.len; i += 8)
		hash = mix(hash, load(part.ptr + i, 8));
	if (i < part.len)
		hash = mix(hash, load(part.ptr + i, part.len - i));
	return hash | 1;
}

/* ---- entries ---- */

static struct entry *find_entry(const struct ignore_index *index, uint64_t hash)
{
	size_t i = (hash >> 20) & index->mask;

	while (index->entries[i].hash && index->entries[i].hash != hash)
		i = (i + 1) & index->mask;
	return &index->entries[i];
}

static bool may_be_filed(const struct ignore_index *index, uint64_t hash)
{
	size_t bit = hash >> 8 & index->filter_mask;

	return index->filter[bit / 64] >> bit % 64 & 1;
}

static void take(const struct ignore_index *index, uint64_t hash, struct rule_list *found)
{
	if (!may_be_filed(index, hash))
		return;
	const struct entry *entry = find_entry(index, hash);
	if (entry->hash == 0)
		return;
	for (uint32_t rule = entry->first; rule != NONE; rule = index->next[rule])
		rule_list_push(found, rule);
}

/* ---- choosing ---- */

struct ignore_index *ignore_index_create(size_t rules)
{
	struct ignore_index *index = xnew(struct ignore_index);

	index->rules = rules;
	index->next = xcalloc(rules + 1, sizeof *index->next);
	index->endings = xcalloc(rules + 1, sizeof *index->endings);
	index->closes = xcalloc(rules + 1, sizeof *index->closes);
	return index;
}

void ignore_index_destroy(struct ignore_index *index)
{
	if (!index)
		return;
	rule_list_release(&index->always);
	free(index->choices);
	free(index->entries);
	free(index->filter);
	free(index->next);
	free(index->endings);
	buf_release(&index->texts);
	free(index->closes);
	free(index);
}

static void add_choice(struct ignore_index *index, struct choice choice)
{
	if (index->choices_len == index->choices_cap) {
		index->choices_cap = index->choices_cap ? 2 * index->choices_cap : 64;
		index->choices =
			xreallocarray(index->choices, index->choices_cap, sizeof *index->choices);
	}
	index->choices[index->choices_len++] = choice;
}

struct adding {
	struct ignore_index *index;
	uint32_t rule;
};

static size_t keep_text(struct ignore_index *index, struct str text)
{
	size_t at = index->texts.len;

	buf_addstr(&index->texts, text);
	return at;
}

static void note_ending(struct ignore_index *index, struct ending *ending, struct str part,
			enum place place)
{
	if (place == PLACE_BEGIN && part.len > ending->begin_len) {
		ending->begin = keep_text(index, part);
		ending->begin_len = part.len;
	} else if (place == PLACE_END || place == PLACE_WHOLE) {
		ending->end = keep_text(index, part);
		ending->end_len = part.len;
		ending->whole = place == PLACE_WHOLE;
	}
}

static void add_part(const struct adding *a, struct str part, enum place place, bool closing)
{
	struct choice choice = { .rule = a->rule, .place = place, .closing = closing };
	size_t n = part.len < LENGTH_MAX ? part.len : LENGTH_MAX;

	if (place == PLACE_WHOLE) {
		choice.hash = hash_whole(part);
		choice.weight = (unsigned char)(part.len < 16 ? part.len + 4 : 20);
	} else {
		choice.hash =
			hash_of(place,
				load(place == PLACE_BEGIN ? part.ptr : part.ptr + part.len - n, n),
				n);
		choice.length = (unsigned char)n;
		choice.weight = (unsigned char)n;
	}
	if (closing)
		note_ending(a->index, &a->index->endings[a->rule], part, place);
	add_choice(a->index, choice);
}

/* What the text says about each part that it has a piece of. */
static void add_clue(void *data, struct str text, size_t last)
{
	const struct adding *a = data;
	bool cut_before = false;

	for (size_t from = 0; from <= text.len;) {
		size_t to = str_find(text, '/', from);
		bool cut_behind = to < text.len;
		enum place place = cut_before   ? (cut_behind ? PLACE_WHOLE : PLACE_BEGIN)
				   : cut_behind ? PLACE_END
						: PLACE_ANY;
		if (to > from)
			add_part(a, str_slice(text, from, to), place, from == last);
		cut_before = true;
		from = to + 1;
	}
}

void ignore_index_add(struct ignore_index *index, uint32_t rule, const struct glob *glob)
{
	struct adding adding = { index, rule };

	glob_clues(glob, add_clue, &adding);
}

static bool is_better(const struct ignore_index *index, const struct choice *a,
		      const struct choice *b)
{
	uint32_t uses_a = find_entry(index, a->hash)->uses;
	uint32_t uses_b = find_entry(index, b->hash)->uses;

	if (uses_a != uses_b)
		return uses_a < uses_b;
	return a->weight + a->closing > b->weight + b->closing;
}

static size_t power_above(size_t n)
{
	size_t power = 64;

	while (power < n)
		power *= 2;
	return power;
}

static void count_uses(struct ignore_index *index)
{
	size_t size = power_above(2 * index->choices_len);

	index->mask = size - 1;
	index->entries = xcalloc(size, sizeof *index->entries);
	for (size_t i = 0; i < index->choices_len; i++) {
		struct entry *entry = find_entry(index, index->choices[i].hash);
		entry->hash = index->choices[i].hash;
		entry->uses++;
		entry->first = NONE;
	}
}

static void file(struct ignore_index *index, const struct choice *choice)
{
	struct entry *entry = find_entry(index, choice->hash);
	size_t bit = choice->hash >> 8 & index->filter_mask;

	index->next[choice->rule] = entry->first;
	entry->first = choice->rule;
	index->filter[bit / 64] |= (uint64_t)1 << bit % 64;
	index->used[choice->place][choice->length] = true;
	index->closes[choice->rule] = choice->closing;
}

/* The choices of a rule lie side by side. */
static void file_rule(struct ignore_index *index, uint32_t rule, size_t *at)
{
	const struct choice *best = NULL;

	for (; *at < index->choices_len && index->choices[*at].rule == rule; ++*at) {
		if (!best || is_better(index, &index->choices[*at], best))
			best = &index->choices[*at];
	}
	if (best)
		file(index, best);
	else
		rule_list_push(&index->always, rule);
}

void ignore_index_build(struct ignore_index *index)
{
	size_t at = 0, bits = power_above(FILTER_BITS * index->rules);

	count_uses(index);
	index->filter_mask = bits - 1;
	index->filter = xcalloc(bits / 64, sizeof *index->filter);
	for (uint32_t rule = 0; rule < index->rules; rule++)
		file_rule(index, rule, &at);
	free(index->choices);
	index->choices = NULL;
}

/* ---- finding ---- */

static void look_inside(const struct ignore_index *index, struct str part, size_t n,
			struct rule_list *found)
{
	for (size_t i = 0; i + n <= part.len; i++)
		take(index, hash_of(PLACE_ANY, load(part.ptr + i, n), n), found);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_unique(struct rule_list *list)
{
	size_t n = 0;

	if (list->len < 2)
		return;
	qsort(list->at, list->len, sizeof *list->at, by_number);
	for (size_t i = 0; i < list->len; i++) {
		if (n == 0 || list->at[i] != list->at[n - 1])
			list->at[n++] = list->at[i];
	}
	list->len = n;
}

void ignore_index_find(const struct ignore_index *index, struct str part, struct rule_list *found)
{
	size_t most = part.len < LENGTH_MAX ? part.len : LENGTH_MAX;
	uint64_t begin = load(part.ptr, most), end = load(part.ptr + part.len - most, most);

	take(index, hash_whole(part), found);
	for (size_t n = 1; n <= most; n++) {
		uint64_t first = begin & UINT64_MAX >> 8 * (LENGTH_MAX - n);
		uint64_t last = end >> 8 * (most - n);
		if (index->used[PLACE_BEGIN][n])
			take(index, hash_of(PLACE_BEGIN, first, n), found);
		if (index->used[PLACE_END][n])
			take(index, hash_of(PLACE_END, last, n), found);
		if (index->used[PLACE_ANY][n])
			look_inside(index, part, n, found);
	}
	sort_unique(found);
}

const struct rule_list *ignore_index_always(const struct ignore_index *index)
{
	return &index->always;
}

bool ignore_index_may_end(const struct ignore_index *index, uint32_t rule, struct str part)
{
	const struct ending *ending = &index->endings[rule];
	const char *texts = index->texts.ptr; /* NULL when no rule has one */

	if (part.len < ending->begin_len || part.len < ending->end_len ||
	    (ending->whole && part.len > ending->end_len))
		return false;
	return (!ending->begin_len ||
		memcmp(part.ptr, texts + ending->begin, ending->begin_len) == 0) &&
	       (!ending->end_len || memcmp(part.ptr + part.len - ending->end_len,
					   texts + ending->end, ending->end_len) == 0);
}

bool ignore_index_closes(const struct ignore_index *index, uint32_t rule)
{
	return index->closes[rule];
}

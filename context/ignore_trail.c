#include "context/ignore_trail.h"

#include "common/buf.h"
#include "context/ignore_glob.h"
#include "context/ignore_index.h"

/* Numbers of rules, sorted, in the store of the trail. */
struct span {
	size_t from, len;
};

/* A path on the way: a folder, or the path that was asked for. */
struct level {
	size_t end;          /* of its path */
	struct span matched; /* rules that match it or a parent */
	struct span pending; /* others, of which it or a parent has the text they are filed under */
	size_t stored;       /* how long the store is with this level */
	struct ignore_verdict verdict;
};

struct ignore_trail {
	const struct ignore_rule *rules;
	const struct ignore_index *index;
	struct buf path;      /* that was asked for last */
	struct level *levels; /* the first one is the root */
	size_t len, cap;
	struct rule_list store;
	/* For one level, kept for their memory. */
	struct rule_list found, candidates, others, fresh, due;
};

/* More new levels than these are not tried one by one. */
enum { EAGER_LEVELS = 16 };

struct ignore_trail *ignore_trail_create(const struct ignore_rule *rules,
					 const struct ignore_index *index)
{
	struct ignore_trail *t = xnew(struct ignore_trail);

	t->rules = rules;
	t->index = index;
	t->cap = 16;
	t->levels = xcalloc(t->cap, sizeof *t->levels);
	t->len = 1;
	return t;
}

void ignore_trail_destroy(struct ignore_trail *t)
{
	if (!t)
		return;
	buf_release(&t->path);
	free(t->levels);
	rule_list_release(&t->store);
	rule_list_release(&t->found);
	rule_list_release(&t->candidates);
	rule_list_release(&t->others);
	rule_list_release(&t->fresh);
	rule_list_release(&t->due);
	free(t);
}

/* ---- sorted lists ---- */

static struct rule_list list_of(const struct ignore_trail *t, struct span span)
{
	return (struct rule_list){ span.len ? t->store.at + span.from : NULL, span.len, 0 };
}

static struct span keep(struct ignore_trail *t, const struct rule_list *list)
{
	struct span span = { t->store.len, list->len };

	for (size_t i = 0; i < list->len; i++)
		rule_list_push(&t->store, list->at[i]);
	return span;
}

static void swap(struct rule_list *a, struct rule_list *b)
{
	struct rule_list kept = *a;

	*a = *b;
	*b = kept;
}

/* All of both. */
static void merge(struct rule_list *out, const struct rule_list *a, const struct rule_list *b)
{
	size_t i = 0, j = 0;

	out->len = 0;
	while (i < a->len || j < b->len) {
		bool take_a = j == b->len || (i < a->len && a->at[i] <= b->at[j]);
		bool take_b = i == a->len || (j < b->len && b->at[j] <= a->at[i]);
		rule_list_push(out, take_a ? a->at[i] : b->at[j]);
		i += take_a;
		j += take_b;
	}
}

/* Leave out what is in `b`. */
static void subtract(struct rule_list *list, const struct rule_list *b)
{
	size_t n = 0, j = 0;

	for (size_t i = 0; i < list->len; i++) {
		while (j < b->len && b->at[j] < list->at[i])
			j++;
		if (j == b->len || b->at[j] != list->at[i])
			list->at[n++] = list->at[i];
	}
	list->len = n;
}

/* ---- one level ---- */

/* The rules that match have their say in turn; each counts only when it changes the verdict. */
static struct ignore_verdict judge(const struct ignore_trail *t, const struct rule_list *matched)
{
	struct ignore_verdict verdict = { 0 };

	for (size_t i = 0; i < matched->len; i++) {
		const struct ignore_rule *rule = &t->rules[matched->at[i]];
		if (rule->include == verdict.ignored)
			verdict = (struct ignore_verdict){ .ignored = !rule->include,
							   .rule = rule->text,
							   .line = rule->line };
	}
	return verdict;
}

/* To `fresh`: the rules, of those that do not match a parent, that might match a path with this
 * last part. `found` is what the index says of the part. */
static void find_candidates(struct ignore_trail *t, const struct level *parent, struct str part)
{
	struct rule_list pending = list_of(t, parent->pending);
	struct rule_list matched = list_of(t, parent->matched);

	merge(&t->others, &pending, &t->found);
	merge(&t->candidates, &t->others, ignore_index_always(t->index));
	subtract(&t->candidates, &matched);
	t->fresh.len = 0;
	for (size_t i = 0; i < t->candidates.len; i++) {
		if (ignore_index_may_end(t->index, t->candidates.at[i], part))
			rule_list_push(&t->fresh, t->candidates.at[i]);
	}
}

/* Leave in `list` which rules match the path or a parent. */
static void try_rules(const struct ignore_trail *t, struct rule_list *list, struct str path)
{
	size_t n = 0;

	for (size_t i = 0; i < list->len; i++) {
		if (glob_matches_path_or_parent(t->rules[list->at[i]].glob, path))
			list->at[n++] = list->at[i];
	}
	list->len = n;
}

static void note_matched(struct ignore_trail *t, struct level *level)
{
	struct rule_list matched = list_of(t, level->matched);

	if (t->fresh.len == 0)
		return;
	merge(&t->others, &matched, &t->fresh);
	level->matched = keep(t, &t->others);
	level->verdict = judge(t, &t->others);
}

static void note_pending(struct ignore_trail *t, struct level *level)
{
	struct rule_list pending = list_of(t, level->pending);
	struct rule_list matched = list_of(t, level->matched);
	size_t n = 0;

	for (size_t i = 0; i < t->found.len; i++) {
		if (!ignore_index_closes(t->index, t->found.at[i]))
			t->found.at[n++] = t->found.at[i];
	}
	t->found.len = n;
	merge(&t->others, &pending, &t->found);
	subtract(&t->others, &matched);
	level->pending = keep(t, &t->others);
}

static void add_level(struct ignore_trail *t, struct str path, struct str part)
{
	struct level level = t->levels[t->len - 1];

	t->found.len = 0;
	ignore_index_find(t->index, part, &t->found);
	if (t->found.len || level.pending.len || ignore_index_always(t->index)->len) {
		find_candidates(t, &level, part);
		try_rules(t, &t->fresh, path);
		note_matched(t, &level);
		note_pending(t, &level);
	}
	level.end = path.len;
	level.stored = t->store.len;
	if (t->len == t->cap) {
		t->cap *= 2;
		t->levels = xreallocarray(t->levels, t->cap, sizeof *t->levels);
	}
	t->levels[t->len++] = level;
}

/*
 * ---- many levels at once ----
 *
 * Trying the rules at each level costs the length of the path each time, which whoever walks a tree
 * pays anyway, a folder after the other. For a path that comes from nowhere they are tried once, at
 * its end, for it and all its parents; its folders are not remembered then.
 */

/* Of the lists of what is pending only the last one is needed. */
static void drop_older(struct ignore_trail *t, struct level *level)
{
	if (level->pending.len)
		memmove(t->store.at + level->stored, t->store.at + level->pending.from,
			level->pending.len * sizeof *t->store.at);
	level->pending.from = level->stored;
	t->store.len = level->stored + level->pending.len;
}

static struct ignore_verdict leap(struct ignore_trail *t, struct str path, size_t from)
{
	struct level level = t->levels[t->len - 1];
	struct str rest = str_after(path, from), part;

	t->due.len = 0;
	while (str_split(&rest, '/', &part)) {
		t->found.len = 0;
		ignore_index_find(t->index, part, &t->found);
		find_candidates(t, &level, part);
		merge(&t->others, &t->due, &t->fresh);
		swap(&t->due, &t->others);
		note_pending(t, &level);
		drop_older(t, &level);
	}
	try_rules(t, &t->due, path);
	swap(&t->due, &t->fresh);
	note_matched(t, &level);
	t->store.len = level.stored;
	return level.verdict;
}

/* ---- the way ---- */

static bool is_on_the_way(const struct ignore_trail *t, const struct level *level, struct str path)
{
	if (level->end > path.len || memcmp(t->path.ptr, path.ptr, level->end) != 0)
		return false;
	return level->end == path.len || path.ptr[level->end] == '/';
}

/* Back to the last folder that is on the way to this path too. */
static void go_back(struct ignore_trail *t, struct str path)
{
	while (t->len > 1 && !is_on_the_way(t, &t->levels[t->len - 1], path))
		t->len--;
	const struct level *level = &t->levels[t->len - 1];
	t->store.len = level->stored;
	buf_truncate(&t->path, level->end);
	buf_addstr(&t->path, str_after(path, level->end));
}

/* Where the part behind the first `end` bytes begins. A slash at the very beginning ends nothing.
 */
static size_t next_part(const struct ignore_trail *t, struct str path, size_t end)
{
	return t->len > 1 || path.ptr[0] == '/' ? end + 1 : 0;
}

static size_t count_parts(struct str rest)
{
	struct str part;
	size_t n = 0;

	while (n <= EAGER_LEVELS && str_split(&rest, '/', &part))
		n++;
	return n;
}

void ignore_trail_follow(struct ignore_trail *t, struct str path, struct ignore_verdict *out)
{
	go_back(t, path);
	for (size_t end = t->levels[t->len - 1].end; end < path.len;) {
		size_t from = next_part(t, path, end);
		if (count_parts(str_after(path, from)) > EAGER_LEVELS) {
			*out = leap(t, path, from);
			return;
		}
		end = str_find(path, '/', from);
		add_level(t, str_slice(path, 0, end), str_slice(path, from, end));
	}
	*out = t->levels[t->len - 1].verdict;
}

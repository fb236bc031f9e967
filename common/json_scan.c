#include "common/json_scan.h"

#include <assert.h>

#include "common/json_lex.h"

enum { DEPTH_MAX = 2048, WANTS_MAX = 64, PATH_MAX_KEYS = 8 };

/* A path of a want, cut at its dots. */
struct path {
	struct str keys[PATH_MAX_KEYS];
	size_t len;
};

/*
 * A container that is being read, when a want may be in it. The masks have a bit for each want:
 * `live` are those whose path leads through here, `seen` those that a key here has already met,
 * `whole` those that want this container itself.
 */
struct level {
	uint64_t live, seen, whole;
	const char *begin;
};

struct scan {
	const char *p, *end;
	struct json_fault fault;
	const char *word; /* of the fault */

	size_t depth, depth_max, nodes, nodes_max;
	uint64_t is_object[DEPTH_MAX / 64 + 1]; /* one bit a level, the root at 1 */

	struct json_want *wants;
	struct path paths[WANTS_MAX];
	struct level levels[PATH_MAX_KEYS + 2]; /* by depth; deeper ones cannot be on a path */
	uint64_t next_live, next_whole;         /* for the value that comes next */
};

enum step { STEP_VALUE, STEP_KEY, STEP_AFTER, STEP_END, STEP_FAILED };

static enum step fail(struct scan *s, const char *word, const char *why)
{
	s->word = word;
	s->fault = (struct json_fault){ s->p, why };
	return STEP_FAILED;
}

static enum step fail_lexing(struct scan *s)
{
	s->word = "bad_json";
	return STEP_FAILED;
}

/* The next byte that is no blank, or NUL (which is no JSON either) at the end. */
static inline char peek(struct scan *s)
{
	while (s->p < s->end) {
		char c = *s->p;
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		s->p++;
	}
	return '\0';
}

/* ---- wants ---- */

static void cut_path(struct path *path, const char *text)
{
	struct str rest = str_from(text), key;

	path->len = 0;
	while (str_split(&rest, '.', &key)) {
		assert(path->len < PATH_MAX_KEYS);
		path->keys[path->len++] = key;
	}
}

static void keep(struct scan *s, uint64_t mask, enum json_want_kind kind, struct str value)
{
	for (; mask; mask &= mask - 1) {
		struct json_want *want = &s->wants[__builtin_ctzll(mask)];
		want->kind = kind;
		want->value = value;
	}
}

static void keep_string(struct scan *s, uint64_t mask, struct str inside, bool escaped)
{
	keep(s, mask, JSON_WANT_STRING, inside);
	for (; escaped && mask; mask &= mask - 1) {
		struct json_want *want = &s->wants[__builtin_ctzll(mask)];
		struct buf decoded = BUF_INIT;
		json_lex_decode(&decoded, inside);
		want->value.len = decoded.len;
		want->owned = buf_detach(&decoded);
		want->value.ptr = want->owned;
	}
}

/* Which wants does `key`, in the object at the present depth, lead to? */
static enum step follow_key(struct scan *s, struct level *level, struct str key)
{
	for (uint64_t mask = level->live; mask; mask &= mask - 1) {
		int i = __builtin_ctzll(mask);
		const struct path *path = &s->paths[i];
		if (!str_eq(path->keys[s->depth - 1], key))
			continue;
		if (path->len == s->depth)
			s->next_whole |= UINT64_C(1) << i;
		else
			s->next_live |= UINT64_C(1) << i;
	}
	uint64_t met = s->next_whole | s->next_live;
	if (met & level->seen)
		return fail(s, "bad_json", "duplicate key");
	level->seen |= met;
	return STEP_VALUE;
}

static enum step follow_escaped_key(struct scan *s, struct level *level, struct str inside)
{
	struct buf key = BUF_INIT;
	json_lex_decode(&key, inside);
	enum step step = follow_key(s, level, buf_str(&key));
	buf_release(&key);
	return step;
}

/* ---- the machine ---- */

static bool in_object(const struct scan *s)
{
	return s->is_object[s->depth / 64] >> s->depth % 64 & 1;
}

static enum step open_container(struct scan *s, bool object)
{
	if (s->depth >= s->depth_max)
		return fail(s, "json_too_deep", "nested too deeply");
	s->depth++;
	uint64_t bit = UINT64_C(1) << s->depth % 64;
	if (object)
		s->is_object[s->depth / 64] |= bit;
	else
		s->is_object[s->depth / 64] &= ~bit;
	if (s->depth < sizeof s->levels / sizeof s->levels[0])
		s->levels[s->depth] = (struct level){
			.live = object ? s->next_live : 0,
			.whole = s->next_whole,
			.begin = s->p,
		};
	s->next_live = s->next_whole = 0;
	s->p++;
	if (peek(s) == (object ? '}' : ']'))
		return STEP_AFTER;
	return object ? STEP_KEY : STEP_VALUE;
}

static void close_container(struct scan *s)
{
	enum json_want_kind kind = in_object(s) ? JSON_WANT_OBJECT : JSON_WANT_ARRAY;

	s->p++;
	if (s->depth < sizeof s->levels / sizeof s->levels[0]) {
		const struct level *level = &s->levels[s->depth];
		keep(s, level->whole, kind,
		     (struct str){ level->begin, (size_t)(s->p - level->begin) });
	}
	s->depth--;
}

static enum step string_value(struct scan *s)
{
	bool escaped;
	const char *inside = s->p + 1;
	const char *after = json_lex_string(inside, s->end, &escaped, &s->fault);

	if (!after)
		return fail_lexing(s);
	if (s->next_whole)
		keep_string(s, s->next_whole, (struct str){ inside, (size_t)(after - 1 - inside) },
			    escaped);
	s->p = after;
	return STEP_AFTER;
}

static enum step number_value(struct scan *s)
{
	const char *after = json_lex_number(s->p, s->end, &s->fault);

	if (!after)
		return fail_lexing(s);
	keep(s, s->next_whole, JSON_WANT_NUMBER, (struct str){ s->p, (size_t)(after - s->p) });
	s->p = after;
	return STEP_AFTER;
}

static enum step word_value(struct scan *s)
{
	static const struct {
		struct str text;
		enum json_want_kind kind;
	} words[] = {
		{ { "true", 4 }, JSON_WANT_TRUE },
		{ { "false", 5 }, JSON_WANT_FALSE },
		{ { "null", 4 }, JSON_WANT_NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct str text = words[i].text;
		if ((size_t)(s->end - s->p) < text.len || memcmp(s->p, text.ptr, text.len) != 0)
			continue;
		keep(s, s->next_whole, words[i].kind, (struct str){ s->p, text.len });
		s->p += text.len;
		return STEP_AFTER;
	}
	return fail(s, "bad_json", s->p == s->end ? "the text ends too early" : "no value");
}

static enum step step_value(struct scan *s)
{
	char c = peek(s);

	if (++s->nodes > s->nodes_max)
		return fail(s, "json_too_big", "too many values");
	if (c == '{' || c == '[')
		return open_container(s, c == '{');
	enum step step = c == '"'                             ? string_value(s)
			 : c == '-' || (c >= '0' && c <= '9') ? number_value(s)
							      : word_value(s);
	s->next_live = s->next_whole = 0;
	return step;
}

static enum step step_key(struct scan *s)
{
	bool escaped;

	if (peek(s) != '"')
		return fail(s, "bad_json", "a key in quotes must stand here");
	const char *inside = s->p + 1;
	const char *after = json_lex_string(inside, s->end, &escaped, &s->fault);
	if (!after)
		return fail_lexing(s);
	if (s->depth <= PATH_MAX_KEYS && s->levels[s->depth].live) {
		struct str key = { inside, (size_t)(after - 1 - inside) };
		struct level *level = &s->levels[s->depth];
		enum step step =
			escaped ? follow_escaped_key(s, level, key) : follow_key(s, level, key);
		if (step == STEP_FAILED)
			return step;
	}
	s->p = after;
	if (peek(s) != ':')
		return fail(s, "bad_json", "':' must follow a key");
	s->p++;
	return STEP_VALUE;
}

static enum step step_after(struct scan *s)
{
	char c = peek(s);

	if (s->depth == 0)
		return s->p == s->end ? STEP_END : fail(s, "bad_json", "bytes after the end");
	if (c == ',') {
		s->p++;
		return in_object(s) ? STEP_KEY : STEP_VALUE;
	}
	if (c == (in_object(s) ? '}' : ']')) {
		close_container(s);
		return STEP_AFTER;
	}
	return fail(s, "bad_json",
		    in_object(s) ? "',' or '}' must stand here" : "',' or ']' must stand here");
}

static int run(struct scan *s)
{
	enum step step = STEP_VALUE;

	for (;;) {
		switch (step) {
		case STEP_VALUE: step = step_value(s); break;
		case STEP_KEY: step = step_key(s); break;
		case STEP_AFTER: step = step_after(s); break;
		case STEP_END: return 0;
		case STEP_FAILED: return -1;
		}
	}
}

/* ---- outside ---- */

static void scan_init(struct scan *s, struct str text, const struct json_limits *limits)
{
	size_t depth = limits && limits->depth ? limits->depth : JSON_DEPTH;

	s->p = text.ptr;
	s->end = text.ptr + text.len;
	s->depth = s->nodes = 0;
	s->depth_max = depth < DEPTH_MAX ? depth : DEPTH_MAX;
	s->nodes_max = limits && limits->nodes ? limits->nodes : JSON_NODES;
	s->next_live = s->next_whole = 0;
}

static int explain(const struct scan *s, struct str text, struct err *err)
{
	size_t line = 1, column = 1;

	for (const char *p = text.ptr; p < s->fault.at; p++) {
		bool newline = *p == '\n';
		line += newline;
		column = newline ? 1 : column + 1;
	}
	if (strcmp(s->word, "json_too_deep") == 0)
		return err_set(err, ERR_LIMIT, s->word,
			       "JSON line %zu, column %zu: more than %zu arrays and objects inside "
			       "each other",
			       line, column, s->depth_max);
	if (strcmp(s->word, "json_too_big") == 0)
		return err_set(err, ERR_LIMIT, s->word,
			       "JSON line %zu, column %zu: more than %zu values", line, column,
			       s->nodes_max);
	return err_set(err, ERR_INVALID, s->word, "JSON line %zu, column %zu: %s", line, column,
		       s->fault.why);
}

int json_check(struct str text, const struct json_limits *limits, struct err *err)
{
	struct scan s;

	scan_init(&s, text, limits);
	s.wants = NULL;
	return run(&s) < 0 ? explain(&s, text, err) : 0;
}

int json_scan(struct str text, struct json_want *wants, size_t n, const struct json_limits *limits,
	      struct err *err)
{
	struct scan s;

	assert(n <= WANTS_MAX);
	scan_init(&s, text, limits);
	s.wants = wants;
	for (size_t i = 0; i < n; i++) {
		wants[i] = (struct json_want){ .path = wants[i].path };
		cut_path(&s.paths[i], wants[i].path);
		s.next_live |= UINT64_C(1) << i;
	}
	bool object = peek(&s) == '{';
	if (run(&s) < 0) {
		json_wants_release(wants, n);
		return explain(&s, text, err);
	}
	return object ? 0
		      : err_set(err, ERR_INVALID, "bad_payload", "the body must be a JSON object");
}

void json_wants_release(struct json_want *wants, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(wants[i].owned);
		wants[i] = (struct json_want){ .path = wants[i].path };
	}
}

/* ---- elements of an array ---- */

static size_t skip_blanks(struct str s, size_t i)
{
	while (i < s.len && strchr(" \n\r\t", s.ptr[i]))
		i++;
	return i;
}

/* Behind the string whose opening quote stands at i. */
static size_t skip_string(struct str s, size_t i)
{
	for (i++; i < s.len && s.ptr[i] != '"'; i++)
		i += s.ptr[i] == '\\';
	return i + 1;
}

/* Behind the value that begins at i, which ends where its brackets are closed again. */
static size_t skip_value(struct str s, size_t i)
{
	size_t depth = 0;

	while (i < s.len) {
		char c = s.ptr[i];
		if (depth == 0 && strchr(",] \n\r\t", c))
			break;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		i = c == '"' ? skip_string(s, i) : i + 1;
	}
	return i;
}

bool json_array_next(struct str *rest, struct str *element)
{
	/* What is left begins with the bracket, or with the comma behind the one before. */
	size_t from = skip_blanks(*rest, 1);
	size_t to = skip_value(*rest, from);

	*element = str_slice(*rest, from, to);
	*rest = str_after(*rest, skip_blanks(*rest, to));
	return element->len > 0;
}

#include "context/ignore_glob.h"

#include "common/scope.h"
#include "context/runes.h"

enum match_kind {
	MATCH_EXACT,  /* no wildcard */
	MATCH_PREFIX, /* "dir/" and what is below: a trailing double star alone */
	MATCH_SUFFIX, /* a leading double star alone */
	MATCH_REGEX,
};

struct glob {
	enum match_kind kind;
	char *pattern;
	size_t len;
	struct regex *regex; /* MATCH_REGEX */
	struct buf head;     /* of its matches, as far as that is literal */
};

/*
 * ---- syntax ----
 *
 * moby takes a pattern when Go's filepath.Match(pattern, ".") has no error to tell. That reads the
 * pattern in chunks, each of what stands between two stars, and stops at the first one that does
 * not fit the name: what follows was never looked at ("a*[-_]" is a pattern, "a[-_]" is none).
 */

/* One character of a class, escaped or not; something must follow it. */
static bool class_char(const char **p, const char *end, uint32_t *rune)
{
	if (*p == end || **p == '-' || **p == ']')
		return false;
	if (**p == '\\' && ++*p == end)
		return false;
	size_t n = rune_decode(*p, end, rune);
	if (*rune == RUNE_ERROR && n == 1)
		return false;
	*p += n;
	return *p < end;
}

/* Behind '[': to behind the ']'. *takes_dot: is a dot of the class? */
static bool class_is_valid(const char **p, const char *end, bool *takes_dot)
{
	bool negated = *p < end && **p == '^', in = false;
	uint32_t lo, hi;

	if (negated)
		++*p;
	for (int ranges = 0;; ranges++) {
		if (*p < end && **p == ']' && ranges > 0) {
			++*p;
			*takes_dot = in != negated;
			return true;
		}
		if (!class_char(p, end, &lo))
			return false;
		hi = lo;
		if (**p == '-') {
			++*p;
			if (!class_char(p, end, &hi))
				return false;
		}
		in = in || (lo <= '.' && '.' <= hi);
	}
}

/* Go cuts at a '*' outside of brackets, and brackets are counted without looking at escapes inside
 * them. */
static const char *chunk_end(const char *p, const char *end)
{
	bool in_range = false;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == '[')
			in_range = true;
		else if (*p == ']')
			in_range = false;
		else if (*p == '*' && !in_range)
			break;
	}
	return p;
}

/* *dot: is the name still there? A chunk that fits may take it. All of the chunk is looked at. */
static bool chunk_is_valid(const char *p, const char *end, bool *dot, bool *fits)
{
	*fits = true;
	while (p < end) {
		bool takes_dot = *p == '.' || *p == '?';
		if (*p == '[') {
			p++;
			if (!class_is_valid(&p, end, &takes_dot))
				return false;
		} else {
			if (*p == '\\' && ++p == end)
				return false;
			takes_dot = takes_dot || *p == '.';
			p++;
		}
		*fits = *fits && *dot && takes_dot;
		*dot = false;
	}
	return true;
}

bool glob_syntax_is_valid(struct str pattern)
{
	const char *p = pattern.ptr, *end = pattern.ptr + pattern.len;
	bool dot = true, fits = true;

	while (p < end && fits) {
		const char *chunk = p;
		while (chunk < end && *chunk == '*')
			chunk++;
		bool star = chunk > p, before = dot, after;
		if (chunk == end)
			return true;
		p = chunk_end(chunk, end);
		if (!chunk_is_valid(chunk, p, &dot, &fits))
			return false;
		/* The last chunk must use up the name; a star may take it instead. */
		fits = fits && (!dot || p < end);
		if (!fits && star && before) {
			after = false;
			chunk_is_valid(chunk, p, &after, &fits);
			dot = false;
		}
	}
	return true;
}

/* ---- compiling (patternmatcher.go: Pattern.compile) ---- */

/* What stands at p is a double star: its part of the expression, and what that makes of the kind.
 */
static const char *double_star(struct buf *regex, enum match_kind *kind, const char *p,
			       const char *end, bool first)
{
	p += 2;
	if (p < end && *p == '/')
		p++;
	if (p == end) {
		if (*kind == MATCH_EXACT) {
			*kind = MATCH_PREFIX;
		} else {
			buf_adds(regex, ".*");
			*kind = MATCH_REGEX;
		}
	} else {
		buf_adds(regex, "(.*/)?");
		*kind = MATCH_REGEX;
	}
	if (first)
		*kind = MATCH_SUFFIX;
	return p;
}

static enum match_kind translate(struct buf *regex, struct str pattern)
{
	static const char bom[] = "\xef\xbb\xbf";
	enum match_kind kind = MATCH_EXACT;
	const char *p = pattern.ptr, *end = pattern.ptr + pattern.len;

	/* Go's text scanner leaves out a byte order mark at the beginning. */
	if (str_starts(pattern, bom))
		p += sizeof bom - 1;
	const char *start = p;
	buf_addc(regex, '^');
	while (p < end) {
		if (*p == '*' && p + 1 < end && p[1] == '*') {
			p = double_star(regex, &kind, p, end, p == start);
			continue;
		}
		if (*p == '*') {
			buf_adds(regex, "[^/]*");
			kind = MATCH_REGEX;
		} else if (*p == '?') {
			buf_adds(regex, "[^/]");
			kind = MATCH_REGEX;
		} else if (strchr(".+()|{}$", *p)) {
			buf_addc(regex, '\\');
			buf_addc(regex, *p);
		} else if (*p == '\\' && p + 1 < end) {
			buf_addc(regex, *p++);
			buf_addc(regex, *p);
			kind = MATCH_REGEX;
		} else {
			if (*p == '[' || *p == ']')
				kind = MATCH_REGEX;
			buf_addc(regex, *p);
		}
		p++;
	}
	buf_addc(regex, '$');
	return kind;
}

struct glob *glob_compile(struct str pattern)
{
	struct buf expression = BUF_INIT;
	struct glob *g = xnew(struct glob);

	g->kind = translate(&expression, pattern);
	g->pattern = str_dup(pattern);
	g->len = pattern.len;
	if (g->kind == MATCH_REGEX)
		g->regex = regex_compile(buf_str(&expression));
	buf_release(&expression);
	if (g->kind == MATCH_REGEX && !g->regex) {
		glob_destroy(g);
		return NULL;
	}
	if (g->regex)
		regex_head(g->regex, &g->head);
	return g;
}

void glob_destroy(struct glob *g)
{
	if (!g)
		return;
	regex_destroy(g->regex);
	buf_release(&g->head);
	free(g->pattern);
	free(g);
}

/* ---- matching ---- */

static bool matches_one(const struct glob *g, struct str path)
{
	struct str pattern = { g->pattern, g->len };

	switch (g->kind) {
	case MATCH_EXACT: return str_eq(path, pattern);
	case MATCH_PREFIX:
		pattern.len -= 2;
		return path.len >= pattern.len && memcmp(path.ptr, pattern.ptr, pattern.len) == 0;
	case MATCH_SUFFIX:
		pattern = str_after(pattern, 2);
		if (path.len >= pattern.len &&
		    memcmp(path.ptr + path.len - pattern.len, pattern.ptr, pattern.len) == 0)
			return true;
		return pattern.len && pattern.ptr[0] == '/' && str_eq(path, str_after(pattern, 1));
	case MATCH_REGEX: break;
	}
	return false;
}

bool glob_matches_path_or_parent(const struct glob *g, struct str path)
{
	/* The expression is run once: its states at each '/' tell about the parent that ends there.
	 */
	if (g->kind == MATCH_REGEX)
		return regex_matches_path_or_parent(g->regex, path);
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '/' && matches_one(g, str_slice(path, 0, i)))
			return true;
	}
	return matches_one(g, path);
}

/* `end` ends the text when that is where a match ends. */
static void clue_of_literal(clue_fn *clue, void *data, const char *begin, struct str literal,
			    const char *end)
{
	cleanup_buf struct buf text = BUF_INIT;

	buf_adds(&text, begin);
	buf_addstr(&text, literal);
	size_t last = text.len;
	while (last && text.ptr[last - 1] != '/')
		last--;
	buf_adds(&text, end);
	clue(data, buf_str(&text), *end ? last : CLUE_NOT_LAST);
}

void glob_clues(const struct glob *g, clue_fn *clue, void *data)
{
	struct str pattern = { g->pattern, g->len };

	switch (g->kind) {
	case MATCH_EXACT: clue_of_literal(clue, data, "/", pattern, "/"); break;
	case MATCH_PREFIX:
		clue_of_literal(clue, data, "/", str_slice(pattern, 0, pattern.len - 2), "");
		break;
	case MATCH_SUFFIX: clue_of_literal(clue, data, "", str_after(pattern, 2), "/"); break;
	case MATCH_REGEX: regex_clues(g->regex, clue, data); break;
	}
}

/* What every match begins with. */
static struct str literal_head(const struct glob *g)
{
	switch (g->kind) {
	case MATCH_EXACT: return (struct str){ g->pattern, g->len };
	case MATCH_PREFIX: return (struct str){ g->pattern, g->len - 2 };
	case MATCH_SUFFIX: break;
	case MATCH_REGEX: return buf_str(&g->head);
	}
	return STR("");
}

bool glob_may_match_below(const struct glob *g, struct str folder)
{
	struct str head = literal_head(g);
	size_t n = head.len < folder.len ? head.len : folder.len;

	if (n && memcmp(head.ptr, folder.ptr, n) != 0)
		return false;
	/* All of it is literal: then it must name something below. */
	if (g->kind == MATCH_EXACT)
		return head.len > folder.len && head.ptr[folder.len] == '/';
	return head.len <= folder.len || head.ptr[folder.len] == '/';
}

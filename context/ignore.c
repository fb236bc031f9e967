#include "context/ignore.h"

#include "common/scope.h"
#include "context/clean.h"
#include "context/ignore_glob.h"
#include "context/ignore_index.h"
#include "context/ignore_trail.h"
#include "context/runes.h"

/* Go's bufio.Scanner, which moby reads with, takes no longer one. */
enum { LINE_MAX_BYTES = 64 << 10 };

struct ignore {
	struct ignore_rule *rules;
	size_t len, cap;
	bool any_include;
	/* Of the rules as they are now. */
	struct ignore_index *index;
	struct ignore_trail *trail;
};

static void rule_release(struct ignore_rule *rule)
{
	free(rule->text);
	free(rule->pattern);
	glob_destroy(rule->glob);
}

static struct ignore_rule *add_rule(struct ignore *set, struct ignore_rule rule)
{
	if (set->len == set->cap) {
		set->cap = set->cap ? 2 * set->cap : 16;
		set->rules = xreallocarray(set->rules, set->cap, sizeof *set->rules);
	}
	set->rules[set->len] = rule;
	set->any_include = set->any_include || rule.include;
	return &set->rules[set->len++];
}

static void build_index(struct ignore *set)
{
	ignore_trail_destroy(set->trail);
	ignore_index_destroy(set->index);
	set->index = ignore_index_create(set->len);
	for (size_t i = 0; i < set->len; i++)
		ignore_index_add(set->index, (uint32_t)i, set->rules[i].glob);
	ignore_index_build(set->index);
	set->trail = ignore_trail_create(set->rules, set->index);
}

/* ignorefile.ReadAll: what a line of the file becomes; NULL for a comment or an empty line. */
static char *rule_of_line(struct str line)
{
	if (str_starts(line, "#"))
		return NULL;
	line = rune_trim_space(line);
	if (line.len == 0)
		return NULL;
	bool invert = line.ptr[0] == '!';
	if (invert)
		line = rune_trim_space(str_after(line, 1));
	char *cleaned = line.len ? path_clean(line) : xstrdup("");
	const char *rooted = cleaned[0] == '/' && cleaned[1] ? cleaned + 1 : cleaned;
	char *text = xasprintf("%s%s", invert ? "!" : "", rooted);
	free(cleaned);
	return text;
}

/* patternmatcher.New: trimmed and cleaned once more, "!" taken off. */
static int compile_rule(struct ignore_rule *rule, const char *text, const char **why)
{
	struct str trimmed = rune_trim_space(str_from(text));
	char *cleaned = path_clean(trimmed);

	*rule = (struct ignore_rule){ .text = xstrdup(text), .include = cleaned[0] == '!' };
	rule->pattern = xstrdup(cleaned + rule->include);
	free(cleaned);
	*why = NULL;
	if (rule->include && !*rule->pattern)
		*why = "a lone '!' re-includes nothing";
	else if (!glob_syntax_is_valid(str_from(rule->pattern)))
		*why = "a '[' that is not closed, an empty or odd class, or a backslash at the end";
	else if (!(rule->glob = glob_compile(str_from(rule->pattern))))
		*why = "a class with a range that runs backwards, or an unknown escape";
	if (!*why)
		return 0;
	rule_release(rule);
	return -1;
}

static int read_line(struct ignore *set, struct str line, int number, const char *name,
		     struct err *err)
{
	struct ignore_rule rule;
	const char *why;

	if (line.len >= LINE_MAX_BYTES)
		return err_set(err, ERR_INVALID, "ignore_syntax",
			       "%s:%d: the line has more than %d bytes", name, number,
			       LINE_MAX_BYTES - 1);
	if (memchr(line.ptr, '\0', line.len) || !str_is_utf8(line))
		return err_set(err, ERR_INVALID, "ignore_syntax",
			       "%s:%d: want UTF-8 text without NUL", name, number);
	char *text = rule_of_line(line);
	if (!text)
		return 0;
	int rc = compile_rule(&rule, text, &why);
	if (rc < 0) {
		err_set(err, ERR_INVALID, "ignore_syntax", "%s:%d: '%.100s': %s", name, number,
			text, why);
	} else {
		rule.line = number;
		add_rule(set, rule);
	}
	free(text);
	return rc;
}

int ignore_read(struct ignore **out, struct str text, const char *name,
		const struct ignore_limits *limits, struct err *err)
{
	struct ignore *set = xnew(struct ignore);
	struct str line;

	if (text.len > limits->bytes) {
		ignore_destroy(set);
		return err_set(err, ERR_INVALID, "ignore_too_large", "%s has more than %zu bytes",
			       name, limits->bytes);
	}
	if (str_starts(text, "\xef\xbb\xbf"))
		text = str_after(text, 3);
	for (int number = 1; str_split(&text, '\n', &line); number++) {
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (read_line(set, line, number, name, err) < 0) {
			ignore_destroy(set);
			return -1;
		}
		if (set->len > limits->rules) {
			ignore_destroy(set);
			return err_set(err, ERR_INVALID, "ignore_too_large",
				       "%s has more than %zu rules", name, limits->rules);
		}
	}
	build_index(set);
	*out = set;
	return 0;
}

void ignore_destroy(struct ignore *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->len; i++)
		rule_release(&set->rules[i]);
	free(set->rules);
	ignore_trail_destroy(set->trail);
	ignore_index_destroy(set->index);
	free(set);
}

void ignore_prepend(struct ignore **set, const char *text)
{
	struct ignore_rule rule;
	const char *why;

	if (!*set)
		*set = xnew(struct ignore);
	if (compile_rule(&rule, text, &why) < 0)
		abort();
	add_rule(*set, rule);
	memmove(&(*set)->rules[1], &(*set)->rules[0], ((*set)->len - 1) * sizeof rule);
	(*set)->rules[0] = rule;
	build_index(*set);
}

void ignore_match(const struct ignore *set, struct str path, struct ignore_verdict *out)
{
	*out = (struct ignore_verdict){ 0 };
	if (set && set->len)
		ignore_trail_follow(set->trail, path, out);
}

bool ignore_may_prune(const struct ignore *set, struct str folder)
{
	if (!set || !set->any_include)
		return true;
	for (size_t i = 0; i < set->len; i++) {
		if (set->rules[i].include && glob_may_match_below(set->rules[i].glob, folder))
			return false;
	}
	return true;
}

size_t ignore_rules(const struct ignore *set)
{
	return set ? set->len : 0;
}

const char *ignore_rule(const struct ignore *set, size_t i)
{
	return set->rules[i].text;
}

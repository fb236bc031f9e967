/*
 * Ignore rules: the input is an ignore file, a NUL, and paths, one a line. No file and no path ends
 * the process; a verdict names its rule; nothing that is kept lies in a folder that a walk would
 * leave out; and the verdict is the one that moby's loop comes to, rule by rule and folder by
 * folder, with each rule in a set of its own.
 */
#include "tests/fuzz/fuzz.h"

#include "common/buf.h"
#include "context/clean.h"
#include "context/ignore.h"
#include "context/runes.h"

enum { PATH_MAX_BYTES = 512, ALONE_MAX = 100 };

static const struct ignore_limits limits = { .bytes = 4096, .rules = ALONE_MAX };

/* The rules of a set, each in a set of its own, without its "!". */
struct alone {
	struct ignore *sets[ALONE_MAX];
	bool includes[ALONE_MAX];
	size_t len;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static void alone_release(struct alone *alone)
{
	for (size_t i = 0; i < alone->len; i++)
		ignore_destroy(alone->sets[i]);
	alone->len = 0;
}

/*
 * moby trims and cleans a rule twice, and looks for the "!" only then: "!../../x" is "x" in the
 * end, and re-includes nothing. So do we; such rules are left out here.
 */
static bool is_final(const char *rule)
{
	char *clean = path_clean(rune_trim_space(str_from(rule)));
	bool same = strcmp(clean, rule) == 0;

	free(clean);
	return same;
}

/* NULL when it reads as another one: "!x" as a rule of "!!x", or what is trimmed once more. */
static struct ignore *read_alone(const char *rule)
{
	struct buf text = BUF_INIT;
	struct ignore *set = NULL;

	/* Behind an empty line, for a mark at the beginning of a file is none of a rule. */
	buf_addf(&text, "\n%s%s", rule[0] == '#' ? "/" : "", rule);
	bool same = rule[0] != '!' && ignore_read(&set, buf_str(&text), "x", &limits, NULL) == 0 &&
		    ignore_rules(set) == 1 && strcmp(ignore_rule(set, 0), rule) == 0;
	buf_release(&text);
	if (same)
		return set;
	ignore_destroy(set);
	return NULL;
}

static bool alone_read(struct alone *alone, const struct ignore *set)
{
	for (alone->len = 0; alone->len < ignore_rules(set); alone->len++) {
		const char *rule = ignore_rule(set, alone->len);
		alone->includes[alone->len] = rule[0] == '!';
		if (!is_final(rule))
			return false;
		alone->sets[alone->len] = read_alone(rule + (rule[0] == '!'));
		if (!alone->sets[alone->len])
			return false;
	}
	return true;
}

/* No other paths are asked about. */
static bool is_clean(struct str path)
{
	struct str part;

	while (str_split(&path, '/', &part)) {
		if (part.len == 0 || str_is(part, ".") || str_is(part, ".."))
			return false;
	}
	return true;
}

static bool rule_matches(const struct ignore *rule, struct str path)
{
	struct ignore_verdict verdict;

	for (size_t i = 0; i <= path.len; i++) {
		if (i < path.len && (i == 0 || path.ptr[i] != '/'))
			continue;
		ignore_match(rule, str_slice(path, 0, i), &verdict);
		if (verdict.ignored)
			return true;
	}
	return false;
}

static void agrees_rule_by_rule(const struct alone *alone, struct str path, bool ignored)
{
	bool expected = false;

	for (size_t i = 0; i < alone->len; i++) {
		if (alone->includes[i] == expected && rule_matches(alone->sets[i], path))
			expected = !expected;
	}
	must(ignored == expected);
}

static void try_path(const struct ignore *set, const struct alone *alone, struct str path)
{
	struct ignore_verdict verdict, folder;

	ignore_match(set, path, &verdict);
	must(!verdict.ignored || verdict.rule);
	must(!verdict.rule || (verdict.rule[0] == '!') != verdict.ignored ||
	     !is_final(verdict.rule));
	if (alone->len)
		agrees_rule_by_rule(alone, path, verdict.ignored);
	for (size_t i = 1; i < path.len && !verdict.ignored; i++) {
		if (path.ptr[i] != '/')
			continue;
		ignore_match(set, str_slice(path, 0, i), &folder);
		must(!folder.ignored || !ignore_may_prune(set, str_slice(path, 0, i)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size }, path;
	size_t end = str_find(all, '\0', 0);
	struct str paths = str_after(all, end + 1);
	struct ignore *set;
	struct alone alone;
	struct err err = { 0 };

	if (ignore_read(&set, str_slice(all, 0, end), "x", &limits, &err) < 0) {
		must(err.code != ERR_NONE && *err.word);
		return 0;
	}
	if (!alone_read(&alone, set))
		alone_release(&alone);
	while (str_split(&paths, '\n', &path)) {
		if (path.len < PATH_MAX_BYTES && is_clean(path))
			try_path(set, &alone, path);
	}
	alone_release(&alone);
	ignore_destroy(set);
	return 0;
}

/*
 * ignore: 10,000 ignore rules over 100,000 paths, against listing the paths.
 *
 *   bench_ignore FOLDER [ROUNDS]     FOLDER is filled with the paths when it is not there
 *
 * In each round, in this order: GNU find lists the folder; our walk lists it without rules; the
 * rules are read and every path is matched, in the order of the walk; our walk lists it with the
 * rules. Prints the medians in ms, and the ratio of reading and matching to each listing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/walk.h"

enum { FOLDERS = 4000, PATHS = 100000, RULES = 10000, ROUNDS_MAX = 99 };

static const char *const words[] = {
	"core",   "util",  "main",   "test",   "index",  "model",  "view",   "server",
	"client", "cache", "store",  "queue",  "build",  "parse",  "token",  "lexer",
	"graph",  "node",  "edge",   "matrix", "image",  "audio",  "video",  "font",
	"style",  "theme", "config", "option", "layout", "widget", "panel",  "dialog",
	"menu",   "list",  "table",  "sort",   "search", "filter", "stream", "socket",
};
static const char *const endings[] = { "c", "h", "js", "py", "o", "md", "png", "log" };

/* xorshift: the same at every run. */
static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t number(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 20) % below);
}

static const char *word(void)
{
	return words[number(ARRAY_LEN(words))];
}

static const char *ending(void)
{
	return endings[number(ARRAY_LEN(endings))];
}

static void die(const char *what)
{
	fprintf(stderr, "bench_ignore: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_of(const struct err *err)
{
	fprintf(stderr, "bench_ignore: %s: %s\n", err->word, err->msg);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the paths ---- */

/* Below one of the first folders, so that the tree is about six deep and uneven. */
static void make_folders(struct strvec *folders, int root)
{
	strvec_push(folders, ".");
	while (folders->len < FOLDERS) {
		const char *parent =
			folders->items[number(folders->len < 800 ? folders->len : 800)];
		cleanup_free char *path = xasprintf("%s/%s%u", parent, word(), number(99));
		if (mkdirat(root, path, 0755) == 0)
			strvec_push(folders, path);
	}
}

static void make_paths(const char *folder)
{
	cleanup_strvec struct strvec folders = { 0 };
	cleanup_fd int root = -1;

	if (mkdir(folder, 0755) < 0)
		return;
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_folders(&folders, root);
	for (size_t n = FOLDERS; n < PATHS;) {
		cleanup_free char *path = xasprintf("%s/%s_%s%u.%s", folders.items[number(FOLDERS)],
						    word(), word(), number(999), ending());
		cleanup_fd int fd =
			openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		n += fd >= 0;
	}
}

static int collect(const struct walk_entry *entry, void *data, struct err *err)
{
	(void)err;
	if (data)
		strvec_push(data, entry->path.ptr);
	return 0;
}

static void walk(int root, const struct ignore *rules, struct strvec *out)
{
	struct walk_opts opts = { .rules = rules, .all = true, .entry = collect, .data = out };
	struct err err = { 0 };

	if (walk_folder(root, &opts, &err) < 0)
		die_of(&err);
}

/* ---- the rules ---- */

/* All kinds that ignore files are made of, about paths that are there and others. */
static void add_rule(struct buf *text, const struct strvec *paths)
{
	const char *path = paths->items[number((uint32_t)paths->len)];
	int folder = (int)str_find(str_from(path), '/', 0);

	switch (number(12)) {
	case 0: buf_addf(text, "%s\n", path); break;
	case 1: buf_addf(text, "%s%u/%s.%s\n", word(), number(99), word(), ending()); break;
	case 2: buf_addf(text, "**/%s_%s%u.%s\n", word(), word(), number(999), ending()); break;
	case 3: buf_addf(text, "%.*s/*.%s%u\n", folder, path, ending(), number(99)); break;
	case 4: buf_addf(text, "**/%s%u/**\n", word(), number(9999)); break;
	case 5: buf_addf(text, "**/%s-%u*\n", word(), number(9999)); break;
	case 6: buf_addf(text, "*.%s%u\n", ending(), number(999)); break;
	case 7: buf_addf(text, "**/*_%s%u.%s\n", word(), number(9999), ending()); break;
	case 8: buf_addf(text, "%s%u/*/%s_*.%s\n", word(), number(99), word(), ending()); break;
	case 9: buf_addf(text, "**/%s%u.[ch]\n", word(), number(9999)); break;
	case 10: buf_addf(text, "%s%u/**/%s%u\n", word(), number(99), word(), number(99)); break;
	default: buf_addf(text, "!**/%s_%s%u.%s\n", word(), word(), number(999), ending()); break;
	}
}

static struct ignore *read_rules(struct str text)
{
	const struct ignore_limits limits = { .bytes = text.len, .rules = RULES };
	struct ignore *rules;
	struct err err = { 0 };

	if (ignore_read(&rules, text, "rules", &limits, &err) < 0)
		die_of(&err);
	return rules;
}

/* ---- what is measured ---- */

enum measure { FIND, WALK, READ, MATCH, BOTH, MEASURES };

static const char *const names[] = { "find", "walk", "read", "match", "walk_with_rules" };

static void find(const char *folder)
{
	extern char **environ;
	const char *const argv[] = { "find", folder, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, "find", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (errno || waitpid(pid, &status, 0) < 0 || status)
		die("find");
}

static size_t match_all(const struct ignore *rules, const struct strvec *paths)
{
	size_t ignored = 0;

	STRVEC_FOREACH (path, paths) {
		struct ignore_verdict verdict;
		ignore_match(rules, str_from(*path), &verdict);
		ignored += verdict.ignored;
	}
	return ignored;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static size_t run_round(double *ms[MEASURES], int round, const char *folder, int root,
			struct str text, const struct strvec *paths)
{
	double at[MEASURES + 1];

	at[FIND] = now_ms();
	find(folder);
	at[WALK] = now_ms();
	walk(root, NULL, NULL);
	at[READ] = now_ms();
	struct ignore *rules = read_rules(text);
	at[MATCH] = now_ms();
	size_t ignored = match_all(rules, paths);
	at[BOTH] = now_ms();
	walk(root, rules, NULL);
	at[MEASURES] = now_ms();
	ignore_destroy(rules);
	for (int i = 0; i < MEASURES; i++)
		ms[i][round] = at[i + 1] - at[i];
	return ignored;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 9;
	double values[MEASURES][ROUNDS_MAX], *ms[MEASURES], medians[MEASURES];
	cleanup_strvec struct strvec paths = { 0 };
	cleanup_buf struct buf text = BUF_INIT;
	size_t ignored = 0;

	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	make_paths(argv[1]);
	cleanup_fd int root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		die(argv[1]);
	walk(root, NULL, &paths);
	state = 1;
	for (int i = 0; i < RULES; i++)
		add_rule(&text, &paths);
	for (int i = 0; i < MEASURES; i++)
		ms[i] = values[i];
	for (int i = 0; i < rounds; i++)
		ignored = run_round(ms, i, argv[1], root, buf_str(&text), &paths);
	printf("{\"paths\":%zu,\"rules\":%d,\"rule_bytes\":%zu,\"ignored\":%zu", paths.len, RULES,
	       text.len, ignored);
	for (int i = 0; i < MEASURES; i++) {
		medians[i] = median(values[i], rounds);
		printf(",\"%s_ms\":%.1f", names[i], medians[i]);
	}
	double ours = medians[READ] + medians[MATCH];
	printf(",\"ratio_to_find\":%.3f,\"ratio_to_walk\":%.3f}\n", ours / medians[FIND],
	       ours / medians[WALK]);
	return 0;
}

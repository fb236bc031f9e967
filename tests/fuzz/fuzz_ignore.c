/*
 * Ignore rules: the input is an ignore file, a NUL, and paths, one a line. No file and no path ends
 * the process; a verdict names its rule; nothing that is kept lies in a folder that a walk would
 * leave out.
 */
#include "tests/fuzz/fuzz.h"

#include "context/ignore.h"

enum { PATH_MAX_BYTES = 512 };

static void must(bool good)
{
	if (!good)
		abort();
}

static void try_path(const struct ignore *set, struct str path)
{
	struct ignore_verdict verdict, folder;

	ignore_match(set, path, &verdict);
	must(!verdict.ignored || verdict.rule);
	must(!verdict.rule || (verdict.rule[0] == '!') != verdict.ignored);
	for (size_t i = 1; i < path.len && !verdict.ignored; i++) {
		if (path.ptr[i] != '/')
			continue;
		ignore_match(set, str_slice(path, 0, i), &folder);
		must(!folder.ignored || !ignore_may_prune(set, str_slice(path, 0, i)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ignore_limits limits = { .bytes = 4096, .rules = 100 };
	struct str all = { (const char *)data, size }, path;
	size_t end = str_find(all, '\0', 0);
	struct str paths = str_after(all, end + 1);
	struct ignore *set;
	struct err err = { 0 };

	if (ignore_read(&set, str_slice(all, 0, end), "x", &limits, &err) < 0) {
		must(err.code != ERR_NONE && *err.word);
		return 0;
	}
	while (str_split(&paths, '\n', &path)) {
		if (path.len && path.len < PATH_MAX_BYTES)
			try_path(set, path);
	}
	ignore_destroy(set);
	return 0;
}

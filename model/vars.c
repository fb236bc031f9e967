#include "model/vars.h"

#include <stddef.h>

/* The name after the leading dot, and where its value stands. */
static const struct {
	const char *name;
	size_t offset;
} variables[] = {
	{ "Run.ID", offsetof(struct vars, run_id) },
	{ "Run.Registry", offsetof(struct vars, registry) },
	{ "Run.RegistryName", offsetof(struct vars, registry_name) },
	{ "Run.Date", offsetof(struct vars, date) },
	{ "Run.Commit", offsetof(struct vars, commit) },
	{ "Run.Branch", offsetof(struct vars, branch) },
	{ "Run.GitTag", offsetof(struct vars, git_tag) },
	{ "Run.TaskName", offsetof(struct vars, task) },
	{ "Run.OS", offsetof(struct vars, os) },
	{ "Run.Architecture", offsetof(struct vars, architecture) },
	{ "Build.ID", offsetof(struct vars, run_id) }, /* the old name of the run id */
};

static const char *value_of(const struct vars *vars, struct str name)
{
	if (!str_starts(name, "."))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		if (!str_is(str_after(name, 1), variables[i].name))
			continue;
		const char *value =
			*(const char *const *)((const char *)vars + variables[i].offset);
		return value ? value : "";
	}
	return NULL;
}

static int unknown(struct str name, struct err *err)
{
	const char *names[ARRAY_LEN(variables) + 1] = { 0 };
	struct str bare = str_after(name, str_starts(name, ".") ? 1 : 0);

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		names[i] = variables[i].name;
	const char *nearest = str_nearest(bare, names);
	return err_set(err, ERR_INVALID, "variable_invalid",
		       "there is no variable {{%.*s}}: did you mean {{.%s}}?",
		       (int)(name.len > 100 ? 100 : name.len), name.ptr,
		       nearest ? nearest : "Run.ID");
}

/* Where "}}" begins at or after `from`, or text.len. */
static size_t find_close(struct str text, size_t from)
{
	for (size_t i = str_find(text, '}', from); i + 1 < text.len; i = str_find(text, '}', i + 1))
		if (text.ptr[i + 1] == '}')
			return i;
	return text.len;
}

int vars_expand(struct buf *out, const struct vars *vars, struct str text, struct err *err)
{
	size_t at = 0, start = out->len;

	while (at < text.len) {
		size_t open = str_find(text, '{', at);
		buf_addstr(out, str_slice(text, at, open));
		at = open;
		if (!str_starts(str_after(text, open), "{{")) {
			buf_addstr(out, str_slice(text, open, open + 1));
			at = open + 1;
			continue;
		}
		size_t close = find_close(text, open + 2);
		if (close == text.len) {
			buf_truncate(out, start);
			return err_set(err, ERR_INVALID, "variable_invalid",
				       "the '{{' at column %zu has no '}}'", open + 1);
		}
		struct str name = str_trim(str_slice(text, open + 2, close));
		const char *value = value_of(vars, name);
		if (!value) {
			buf_truncate(out, start);
			return unknown(name, err);
		}
		buf_adds(out, value);
		at = close + 2;
	}
	if (out->full) {
		buf_truncate(out, start);
		return err_set(err, ERR_LIMIT, "variable_invalid",
			       "the text is longer than %zu bytes with its variables filled in",
			       out->limit);
	}
	return 0;
}

int vars_expand_sample(struct buf *out, struct str text, struct err *err)
{
	static const struct vars sample = {
		.run_id = "ca1",
		.registry = "registry.example.org",
		.registry_name = "registry",
		.date = "20240131-120000z",
		.commit = "0123456789abcdef0123456789abcdef01234567",
		.branch = "main",
		.git_tag = "v1",
		.task = "task",
		.os = "linux",
		.architecture = "amd64",
	};
	return vars_expand(out, &sample, text, err);
}

#include "context/context_query.h"

#include "common/buf.h"
#include "common/crypto.h"
#include "common/scope.h"
#include "context/context.h"

#define YES "1", "t", "T", "true", "TRUE", "True", ""
#define NO  "0", "f", "F", "false", "FALSE", "False"

enum part { REF, FOLDER, OPTION };

static const struct name {
	const char *name;
	enum part part;
	const char *prefix;       /* of the full ref */
	const char *accepted[14]; /* of an option: the values that ask for what is done anyway */
	const char *otherwise;    /* said of all others */
} names[] = {
	{ "ref", REF, "" },
	{ "branch", REF, "refs/heads/" },
	{ "tag", REF, "refs/tags/" },
	{ "commit", REF, "" },
	{ "checksum", REF, "" },
	{ "subdir", FOLDER, "" },
	{ "keep-git-dir", OPTION, "", { NO }, "a context holds no .git folder" },
	{ "submodules", OPTION, "", { YES }, "submodules are always fetched" },
	{ "mtime", OPTION, "", { "commit" }, "files have the time of their commit" },
	{ "fetch-by-commit", OPTION, "", { YES, NO }, "want true or false" },
};

static const struct name *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(name, names[i].name))
			return &names[i];
	}
	return NULL;
}

static struct str name_of(struct str pair)
{
	return str_slice(pair, 0, str_find(pair, '=', 0));
}

bool context_query_is_known(struct str query)
{
	struct str pair;

	while (str_split(&query, '&', &pair)) {
		if (pair.len && !find(name_of(pair)))
			return false;
	}
	return true;
}

static int invalid(struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "context_invalid", "%s", why);
}

static int check_option(const struct name *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(name->accepted) && name->accepted[i]; i++) {
		if (strcmp(value, name->accepted[i]) == 0)
			return 0;
	}
	return err_set(err, ERR_INVALID, "context_invalid", "the query's '%s' cannot be had: %s",
		       name->name, name->otherwise);
}

/* What is said twice must be the same. */
static int set_part(char **part, const char *prefix, const char *value, const char *what,
		    struct err *err)
{
	bool whole = str_starts(str_from(value), prefix);
	cleanup_free char *full = xasprintf("%s%s", whole ? "" : prefix, value);

	if (*part && strcmp(*part, full) != 0)
		return err_set(err, ERR_INVALID, "context_invalid",
			       "the %s is given twice, and not the same: in the query and behind "
			       "'#', or by two names of the query",
			       what);
	free(*part);
	*part = full;
	full = NULL;
	return 0;
}

static int apply_pair(struct context *c, struct str pair, struct err *err)
{
	const struct name *name = find(name_of(pair));
	cleanup_buf struct buf value = BUF_INIT;

	if (!name)
		return invalid(err, "the query of a git context has a name that is none of "
				    "BuildKit's: ref, branch, tag, commit, subdir");
	if (percent_decode(&value, str_after(pair, str_find(pair, '=', 0) + 1), true) < 0 ||
	    str_has_control(buf_str(&value)))
		return invalid(err, "the query has a bad percent escape or a control character");
	const char *text = value.len ? value.ptr : "";
	if (name->part == OPTION)
		return check_option(name, text, err);
	if (!*text)
		return err_set(err, ERR_INVALID, "context_invalid", "the query's '%s' has no value",
			       name->name);
	if (name->part == FOLDER)
		return set_part(&c->folder, "", text, "folder", err);
	return set_part(&c->ref, name->prefix, text, "ref", err);
}

int context_query_apply(struct context *c, struct str query, struct err *err)
{
	struct str pair;

	while (str_split(&query, '&', &pair)) {
		if (pair.len && apply_pair(c, pair, err) < 0)
			return -1;
	}
	return 0;
}

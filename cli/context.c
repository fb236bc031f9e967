/* slipway context parse | files: what a context means, without a service. */
#include <errno.h>
#include <fcntl.h>

#include "cli/verbs.h"
#include "cli/views.h"
#include "common/crypto.h"
#include "common/scope.h"
#include "context/context.h"
#include "context/dockerfile_place.h"
#include "context/ignore_file.h"
#include "context/runes.h"
#include "context/url.h"
#include "context/walk.h"

/* With -o json the error is a result too. */
static int fail(const struct cli *cli, const struct err *err)
{
	if (output_is_data(cli) && !cli->quiet) {
		cleanup_json json_t *error =
			json_pack("{s:{s:s,s:s}}", "error", "code", err->word, "message", err->msg);
		if (error)
			output_value(cli, error, &view_contexts);
	}
	return cli_fail(err);
}

/* Text that may not be UTF-8: such bytes as \xHH, and all of it in base64 beside. */
static void put_text(json_t *object, const char *key, struct str text)
{
	cleanup_buf struct buf shown = BUF_INIT;
	const char *end = text.ptr + text.len;

	for (const char *p = text.ptr; p < end;) {
		uint32_t rune;
		size_t n = rune_decode(p, end, &rune);
		if (rune == RUNE_ERROR && n == 1)
			buf_addf(&shown, "\\x%02x", (unsigned char)*p);
		else
			buf_add(&shown, p, n);
		p += n;
	}
	json_object_set_new(object, key, json_stringn(buf_str(&shown).ptr, shown.len));
	if (str_is_utf8(text))
		return;
	cleanup_free char *base64 = base64_encode(text);
	cleanup_free char *base64_key = xasprintf("%sBase64", key);
	json_object_set_new(object, base64_key, json_string(base64));
}

int verb_context_parse(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *object = json_object();
	struct context c;
	struct err err = { 0 };
	int exit;

	if (!cli_parse(cli, NULL, argc, argv, &operands, 1, 1, &exit))
		return exit;
	if (context_parse(&c, str_from(operands.items[0]), &err) < 0)
		return fail(cli, &err);
	/* The name of an upload means one to the service; here it is a path as any other. */
	enum context_kind kind = c.kind == CONTEXT_UPLOAD ? CONTEXT_LOCAL : c.kind;
	json_object_set_new(object, "kind", json_string(context_kind_name(kind)));
	put_text(object, "repository", str_from(c.repository));
	put_text(object, "ref", str_from(c.ref));
	put_text(object, "folder", str_from(c.folder));
	context_release(&c);
	return output_value(cli, object, &view_contexts);
}

/* ---- files ---- */

static int add_entry(const struct walk_entry *entry, void *list, struct err *err)
{
	json_t *object = json_object();
	const struct ignore_verdict *verdict = &entry->verdict;

	(void)err;
	put_text(object, "path", entry->path);
	json_object_set_new(object, "ignored", json_boolean(verdict->ignored));
	json_object_set_new(object, "rule",
			    verdict->rule ? json_string(verdict->rule) : json_null());
	json_object_set_new(object, "line",
			    verdict->rule ? json_integer(verdict->line) : json_null());
	json_array_append_new(list, object);
	return 0;
}

/* As a build packs it, but into ignored folders as well: each path has its verdict. */
static int list_files(json_t *list, const char *folder, const char *given, struct err *err)
{
	const struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;
	struct dockerfile_place place;
	struct ignore *rules = NULL;
	cleanup_free char *name = NULL;
	cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || dockerfile_place_find(&place, folder, given, err) < 0)
		return fd >= 0 ? -1
			       : err_set_errno(err, ERR_INVALID, "context_missing", errno,
					       "'%.200s' is no folder that can be read",
					       url_shown(str_from(folder)).ptr);
	int rc = ignore_load(&rules, &name, fd, place.inside ? place.inside : place.path, &limits,
			     err);
	dockerfile_place_release(&place);
	if (rc < 0)
		return -1;
	ignore_prepend(&rules, ".git");
	rc = walk_folder(fd,
			 &(struct walk_opts){
				 .rules = rules, .all = true, .entry = add_entry, .data = list },
			 err);
	ignore_destroy(rules);
	return rc;
}

/* A folder that is there wins over what its name could mean otherwise, as for build. */
static int check_kind(const char *text, enum context_kind *kind, struct err *err)
{
	struct context c;
	struct stat st;

	*kind = CONTEXT_LOCAL;
	if (stat(text, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (context_parse(&c, str_from(text), err) < 0)
		return -1;
	*kind = c.kind == CONTEXT_UPLOAD ? CONTEXT_LOCAL : c.kind;
	context_release(&c);
	if (*kind == CONTEXT_LOCAL || *kind == CONTEXT_NONE)
		return 0;
	return err_set(
		err, ERR_INVALID, "context_kind",
		"only the files of a local folder can be listed; clone the repository first");
}

int verb_context_files(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *list = json_array();
	const char *dockerfile = NULL;
	const struct option_def own[] = {
		{ 'f', "file", OPTION_TEXT, &dockerfile, "DOCKERFILE",
		  "Dockerfile whose own ignore file counts, if it has one" },
		{ 0 },
	};
	enum context_kind kind;
	struct err err = { 0 };
	int exit;

	if (!cli_parse(cli, own, argc, argv, &operands, 1, 1, &exit))
		return exit;
	if (check_kind(operands.items[0], &kind, &err) < 0 ||
	    (kind == CONTEXT_LOCAL && list_files(list, operands.items[0], dockerfile, &err) < 0))
		return fail(cli, &err);
	return output_value(cli, list, &view_context_files);
}

#include "server/context_check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "config/config.h"
#include "context/context.h"
#include "context/policy.h"

/* What the URL carried goes to where secrets are kept, as "NAME:PASSWORD" or a token, which then
 * has no colon or begins with one; one that was given apart wins. */
static void move_credentials(struct secret *token, const struct context *c)
{
	const char *password = secret_reveal(&c->password);
	struct buf text = BUF_INIT;

	if (secret_is_set(token) || !secret_is_set(&c->password))
		return;
	if (c->username || strchr(password, ':'))
		buf_addf(&text, "%s:", c->username ? c->username : "");
	buf_adds(&text, password);
	secret_set(token, buf_str(&text));
	explicit_bzero(text.ptr, text.len);
	buf_release(&text);
}

/* The context's text again, without what must not be shown. */
/* A fragment is decoded when it is read: what is to come out of it goes in encoded. */
static void add_decoded(struct buf *text, const char *part)
{
	for (; part && *part; part++) {
		buf_addc(text, *part);
		if (*part == '%')
			buf_adds(text, "25");
	}
}

static char *clean_text(const struct context *c)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, c->repository);
	if (c->ref || c->folder)
		buf_addc(&text, '#');
	add_decoded(&text, c->ref);
	if (c->folder)
		buf_addc(&text, ':');
	add_decoded(&text, c->folder);
	return buf_detach(&text);
}

static void take_credentials(char **text, struct secret *token, const struct context *c)
{
	if (!c->username && !secret_is_set(&c->password))
		return;
	move_credentials(token, c);
	free(*text);
	*text = clean_text(c);
}

static int check_git(const struct context *c, const struct policy *policy, struct err *err)
{
	if (policy_check_url(str_from(c->repository), policy, err) < 0)
		return -1;
	if (c->ref && policy_check_ref(str_from(c->ref), err) < 0)
		return -1;
	return c->folder ? policy_check_folder(str_from(c->folder), err) : 0;
}

/*
 * What anybody can push by asking for a pull: it would be built with the secrets of the task. A
 * build by hand may name one, for whoever starts it has looked.
 */
static int check_task_ref(const char *ref, struct err *err)
{
	static const char *const spaces[] = { "refs/pull/",           "pull/",
					      "refs/merge-requests/", "merge-requests/",
					      "refs/pull-requests/",  "refs/changes/" };

	for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
		if (str_starts(str_from(ref), spaces[i]))
			return err_set(err, ERR_DENIED, "ref_denied",
				       "a task follows a branch or a tag: %.80s holds what others "
				       "ask to be pulled (slipway build can build it)",
				       ref);
	}
	return 0;
}

static int check_upload(const struct context *c, const struct config *config, struct err *err)
{
	cleanup_free char *path =
		xasprintf("%s/sources/%s", config->data_dir, c->repository + strlen("source/"));

	/* Its age counts from its last use (retention.c). */
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_set(
		err, ERR_INVALID, "context_missing",
		"there is no upload '%.80s' (any more): get a URL with listBuildSourceUploadUrl and PUT the archive there",
		c->repository);
}

static int check_kind(const struct context *c, enum context_check kind, const struct config *config,
		      const struct policy *policy, struct err *err)
{
	if (c->kind == CONTEXT_GIT && check_git(c, policy, err) < 0)
		return -1;
	if (c->kind == CONTEXT_GIT)
		return kind == CONTEXT_CHECK_GIT ? check_task_ref(c->ref ? c->ref : "", err) : 0;
	if (kind == CONTEXT_CHECK_GIT)
		return err_set(
			err, ERR_INVALID, "context_kind",
			"a task builds a git repository: want https://…/name.git#branch:folder");
	switch (c->kind) {
	case CONTEXT_HTTP: return policy_check_url(str_from(c->repository), policy, err);
	case CONTEXT_UPLOAD: return check_upload(c, config, err);
	/* A local path, or a transport that we do not know: the policy says which. */
	case CONTEXT_LOCAL: return policy_check_url(str_from(c->repository), policy, err);
	case CONTEXT_OCI:
		return err_set(err, ERR_INVALID, "context_kind",
			       "oci:// contexts are not available in this version");
	default:
		return err_set(
			err, ERR_INVALID, "context_missing",
			"a build needs a context: a git repository, an https archive or an upload");
	}
}

int context_check(struct build *build, enum context_check kind, const struct config *config,
		  struct err *err)
{
	struct policy policy = { .schemes = &config->git.allow_schemes,
				 .allowed = config->git.allow_private_addresses,
				 .allowed_len = config->git.allow_private_addresses_len,
				 .ports = config->git.allow_ports,
				 .ports_len = config->git.allow_ports_len };
	struct context c = { 0 };

	if (!build->context || !*build->context)
		return err_set(
			err, ERR_INVALID, "context_missing",
			"a build needs a context: a git repository, an https archive or an upload");
	if (context_parse(&c, str_from(build->context), err) < 0)
		return -1;
	int rc = check_kind(&c, kind, config, &policy, err);
	if (rc == 0)
		take_credentials(&build->context, &build->context_token, &c);
	context_release(&c);
	return rc;
}

int context_check_trigger(struct source_trigger *t, struct err *err)
{
	struct str url = str_from(t->repository_url);
	struct context c = { 0 };
	int rc = 0;

	if (context_parse(&c, url, err) < 0)
		return -1;
	if (c.kind == CONTEXT_LOCAL && str_find(url, '@', 0) < url.len)
		rc = err_set(err, ERR_INVALID, "url_has_credentials",
			     "there may be credentials in the URL: want https://…/name.git");
	else
		take_credentials(&t->repository_url, &t->token, &c);
	context_release(&c);
	return rc;
}

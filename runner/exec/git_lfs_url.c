#include "runner/exec/git_lfs_url.h"

#include <ctype.h>

#include "common/scope.h"
#include "context/policy.h"
#include "context/url_scope.h"

/* ---- the server ---- */

/* "https://host/app" of "https://host/app.git/" and of "https://host/app". */
static struct str bare_url(struct str repository)
{
	repository.len = str_find(repository, '?', 0);
	repository.len = str_find(repository, '#', 0);
	while (str_ends(repository, "/"))
		repository.len--;
	if (str_ends(repository, ".git"))
		repository.len -= strlen(".git");
	return repository;
}

char *git_lfs_server_url(struct str repository)
{
	struct str bare = bare_url(repository);
	return xasprintf(STR_FMT ".git/info/lfs", STR_ARG(bare));
}

/* ---- where a download comes from ---- */

/* Servers send URLs that are ready to be asked for: visible ASCII, nothing else. */
static bool is_sendable(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
			return false;
	}
	return text.len > 0;
}

static bool is_refused_by_rule(const struct err *err)
{
	return err_is(err, "scheme_denied") || err_is(err, "port_denied") ||
	       err_is(err, "address_denied");
}

int git_lfs_check_href(struct str href, const struct policy *policy, struct err *err)
{
	struct str place = str_slice(href, 0, str_find(href, '?', 0));
	struct err why = { 0 };

	if (href.len > GIT_LFS_HREF_MAX || !is_sendable(href))
		return err_set(err, ERR_DENIED, "git_protocol",
			       "the LFS server sends us to something that is no URL");
	if (policy_check_url(place, policy, &why) == 0)
		return 0;
	return err_set(err, ERR_DENIED, is_refused_by_rule(&why) ? why.word : "git_protocol",
		       "the LFS server sends us to a place that we may not fetch from: %.300s",
		       why.msg);
}

bool git_lfs_is_below(struct str repository, struct str href)
{
	cleanup_free char *server = git_lfs_server_url(repository);
	struct str other = str_from(server); /* the same repository, as "….git" */

	other.len -= strlen("/info/lfs");
	return url_scope_depth(repository, href) >= 0 || url_scope_depth(other, href) >= 0;
}

/* ---- .lfsconfig ---- */

/* What stands between '[' and ']', or the section there was; *line goes behind it. */
static void read_section(struct str *line, bool *in_lfs)
{
	if (!str_starts(*line, "["))
		return;
	size_t end = str_find(*line, ']', 0);
	*in_lfs = str_is_i(str_trim(str_slice(*line, 1, end)), "lfs");
	*line = str_trim(str_after(*line, end + 1));
}

/* Without quotes, and without the comment behind it. */
static struct str read_value(struct str value)
{
	if (str_starts(value, "\""))
		return str_slice(value, 1, str_find(value, '"', 1));
	for (size_t i = 0; i < value.len; i++) {
		if ((value.ptr[i] == '#' || value.ptr[i] == ';') &&
		    (i == 0 || isspace((unsigned char)value.ptr[i - 1])))
			value.len = i;
	}
	return str_trim(value);
}

struct str git_lfs_config_url(struct str text)
{
	struct str found = { "", 0 }, line;
	bool in_lfs = false;

	while (str_split(&text, '\n', &line)) {
		line = str_trim(line);
		read_section(&line, &in_lfs);
		size_t equals = str_find(line, '=', 0);
		if (in_lfs && equals < line.len &&
		    str_is_i(str_trim(str_slice(line, 0, equals)), "url"))
			found = read_value(str_trim(str_after(line, equals + 1)));
	}
	return found;
}

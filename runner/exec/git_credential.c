#include "runner/exec/git_credential.h"

#include "context/url.h"
#include "context/url_scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_credential_command.h"

/* What goes with a token that came without a user name. Any name will do where none is listed. */
static const char *usual_username(const char *url)
{
	static const struct {
		const char *host, *username;
	} rows[] = {
		{ "github.com", "x-access-token" },
		{ "gitlab.com", "oauth2" },
		{ "bitbucket.org", "x-token-auth" },
	};
	struct url u;

	for (size_t i = 0; url_split(&u, str_from(url)) && i < ARRAY_LEN(rows); i++) {
		if (str_is_i(u.host, rows[i].host))
			return rows[i].username;
	}
	return "slipway";
}

/* The narrowest of those that cover the URL; of equal ones the first, which is the build's own. */
static const struct spec_git_credential *find(const struct spec *spec, const char *url)
{
	const struct spec_git_credential *best = NULL;
	int narrowest = -1;

	for (size_t i = 0; i < spec->git_credentials_len; i++) {
		const struct spec_git_credential *c = &spec->git_credentials[i];
		if (c->is_answer && strcmp(c->url, url) == 0)
			return c;
		int depth = url_scope_depth(str_from(c->url), str_from(url));
		if (c->is_answer || depth <= narrowest)
			continue;
		best = c;
		narrowest = depth;
	}
	return best;
}

static const struct spec_git_credential *remember(struct spec *spec, const char *url,
						  struct git_credential *said)
{
	spec->git_credentials = xreallocarray(spec->git_credentials, spec->git_credentials_len + 1,
					      sizeof *spec->git_credentials);
	struct spec_git_credential *c = &spec->git_credentials[spec->git_credentials_len++];
	*c = (struct spec_git_credential){
		.url = xstrdup(url),
		.username = said->username,
		.token = said->token,
		.is_answer = true,
	};
	return c;
}

int git_credential_find(struct git_credential *out, struct exec *x, const char *url,
			struct err *err)
{
	const struct spec_git_credential *known = find(&x->spec, url);
	struct git_credential said = { 0 };

	if (!known && x->spec.git_credential_command.len) {
		if (git_credential_ask(&said, x, url, err) < 0)
			return -1;
		known = remember(&x->spec, url, &said);
	}
	*out = (struct git_credential){ 0 };
	if (!known || !secret_is_set(&known->token))
		return 0;
	out->username = xstrdup(known->username ? known->username : usual_username(url));
	secret_copy(&out->token, &known->token);
	return 0;
}

void git_credential_release(struct git_credential *c)
{
	free(c->username);
	secret_release(&c->token);
	*c = (struct git_credential){ 0 };
}

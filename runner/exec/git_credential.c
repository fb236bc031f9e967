#include "runner/exec/git_credential.h"

#include <stdlib.h>

#include "runner/exec/exec.h"

/* What goes with a token that came without a user name. Any name will do where none is listed. */
static const struct {
	const char *host, *username;
} token_users[] = {
	{ "https://github.com/", "x-access-token" },
	{ "https://gitlab.com/", "oauth2" },
	{ "https://bitbucket.org/", "x-token-auth" },
};

static const char *username_for(const struct exec *x, const char *url)
{
	if (x->spec.git_username)
		return x->spec.git_username;
	for (size_t i = 0; i < ARRAY_LEN(token_users); i++) {
		if (str_starts(str_from(url), token_users[i].host))
			return token_users[i].username;
	}
	return "slipway";
}

int git_credential_find(struct git_credential *out, struct exec *x, const char *url,
			struct err *err)
{
	(void)err;
	*out = (struct git_credential){ 0 };
	if (!secret_is_set(&x->spec.build.context_token))
		return 0;
	out->username = xstrdup(username_for(x, url));
	secret_copy(&out->token, &x->spec.build.context_token);
	return 0;
}

void git_credential_release(struct git_credential *c)
{
	free(c->username);
	secret_release(&c->token);
	*c = (struct git_credential){ 0 };
}

/*
 * git_credential: what to show the server of a repository: the longest configured scope that the
 * URL lies below, else what the operator's credential command says, else nothing.
 */
#pragma once
#include "common/err.h"
#include "common/secret.h"

struct exec;

struct git_credential {
	char *username; /* for Basic authentication; set whenever the token is; owned */
	struct secret token;
};

/*
 * `url`: http or https, without credentials. Nothing configured is no failure: *out is empty then.
 * A token is for its host and path only: the caller shows it to no URL but this one and what lies
 * below it (info/lfs). The command is asked once per URL and run. Words: "git_credential" (it
 * failed, or answered nonsense), "url_invalid" (nothing that it could be asked about), and those of
 * exec_may_go_on().
 */
int git_credential_find(struct git_credential *out, struct exec *x, const char *url,
			struct err *err);
void git_credential_release(struct git_credential *c); /* leaves it zeroed; zeroed is fine */

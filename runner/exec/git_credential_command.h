/*
 * git_credential_command: ask the operator's program for a credential, as git asks its helpers
 * (git-credential(1)): what is wanted goes to its standard input, what it knows comes from its
 * standard output, a "key=value" on each line.
 */
#pragma once
#include "common/buf.h"
#include "common/err.h"
#include "runner/exec/git_credential.h"

struct exec;

/*
 * Run spec.git_credential_command. *out is empty when it knows nothing of `url`; username may be
 * NULL beside a token. The token is masked in the run's log, and so in what the program printed on
 * standard error. Words: "git_credential" (it cannot be run, failed, took too long, or answered
 * nonsense), "url_invalid", and those of exec_may_go_on().
 */
int git_credential_ask(struct git_credential *out, struct exec *x, const char *url,
		       struct err *err);

/*
 * The two halves of the conversation, for tests. A URL in which control characters are hidden is
 * refused ("url_invalid"): a line break in it would ask for another host (CVE-2020-5260,
 * CVE-2024-52006). An answer that is refused ("git_credential") leaves in *out what it had said, so
 * that it can be masked.
 */
int git_credential_question(struct buf *out, const char *url, struct err *err);
int git_credential_answer(struct git_credential *out, struct str text, struct err *err);

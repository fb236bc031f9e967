#include "runner/exec/git_bring.h"

#include <git2/commit.h>

#include "common/crypto.h"
#include "common/scope.h"
#include "context/policy.h"
#include "model/repository.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_server.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"

static int check_policy(const struct exec *x, const struct git_wanted *wanted, struct err *err)
{
	if (source_check_url(x, wanted->url, err) < 0)
		return -1;
	return wanted->ref ? policy_check_ref(str_from(wanted->ref), err) : 0;
}

/*
 * What is private to one credential must not be found by another: the name of a mirror depends on
 * both, and only we can make it.
 */
static int mirror_key(char **out, const char *url, const struct git_credential *credential,
		      struct err *err)
{
	cleanup_free char *identity = NULL;
	unsigned char hash[SHA256_BYTES];
	struct buf text = BUF_INIT;

	if (repository_identity(&identity, str_from(url), err) < 0)
		return -1;
	buf_adds(&text, identity);
	buf_addc(&text, '\0');
	if (secret_is_set(&credential->token))
		buf_addf(&text, "%s:%s", credential->username, secret_reveal(&credential->token));
	sha256(hash, buf_str(&text));
	explicit_bzero(text.ptr, text.cap);
	buf_release(&text);
	*out = hex_encode(hash, sizeof hash);
	return 0;
}

/* An exact commit that is there already needs no network. */
static bool is_here(struct git_found *found, const struct git_mirror *mirror,
		    const struct git_wanted *wanted)
{
	git_oid commit;

	if (!wanted->commit || git_oid_fromstr(&commit, wanted->commit) < 0 ||
	    !git_mirror_has(mirror, &commit))
		return false;
	found->commit = commit;
	found->ref = xstrdup(wanted->ref);
	return true;
}

static int fetch(struct git_found *found, struct git_brought *b, struct exec *x,
		 const struct git_wanted *wanted, struct err *err)
{
	struct git_server server;

	if (is_here(found, &b->mirror, wanted))
		return 0;
	runlog_say(x->log, "Fetching %s %s", wanted->url,
		   wanted->commit ? wanted->commit
		   : wanted->ref  ? wanted->ref
				  : "(default branch)");
	if (git_mirror_begin_fetch(&b->mirror, x, err) < 0)
		return -1;
	git_server_open(&server, x, b->url, &b->credential);
	int rc = git_fetch(found, &b->mirror, &server, wanted, err);
	git_server_close(&server);
	return rc < 0 ? -1 : git_mirror_end_fetch(&b->mirror, x, err);
}

static int take_time(struct git_brought *b, struct err *err)
{
	git_commit *commit = NULL;

	if (git_commit_lookup(&commit, b->mirror.repo, &b->commit) < 0)
		return git_object_error(err, "the commit");
	b->time_s = git_commit_time(commit);
	git_commit_free(commit);
	return 0;
}

static int bring(struct git_brought *b, struct exec *x, const struct git_wanted *wanted,
		 struct err *err)
{
	struct git_found found = { 0 };

	if (fetch(&found, b, x, wanted, err) < 0)
		return -1;
	b->commit = found.commit;
	b->ref = found.ref;
	return take_time(b, err);
}

int git_bring(struct git_brought *out, struct exec *x, const struct git_wanted *wanted,
	      struct err *err)
{
	struct git_brought b = { .url = xstrdup(wanted->url), .mirror.lock_fd = -1 };
	cleanup_free char *key = NULL;

	if (check_policy(x, wanted, err) == 0 &&
	    git_credential_find(&b.credential, x, wanted->url, err) == 0 &&
	    mirror_key(&key, wanted->url, &b.credential, err) == 0 &&
	    git_mirror_open(&b.mirror, x, key, err) == 0 && bring(&b, x, wanted, err) == 0) {
		*out = b;
		return 0;
	}
	git_brought_release(&b);
	return -1;
}

int git_bring_again(struct git_brought *b, struct exec *x, const struct git_wanted *wanted,
		    struct err *err)
{
	free(b->ref);
	b->ref = NULL;
	if (git_mirror_begin_fetch(&b->mirror, x, err) < 0 || git_mirror_reset(&b->mirror, err) < 0)
		return -1;
	return bring(b, x, wanted, err);
}

void git_brought_release(struct git_brought *b)
{
	git_mirror_close(&b->mirror);
	git_credential_release(&b->credential);
	free(b->url);
	free(b->ref);
	*b = (struct git_brought){ .mirror.lock_fd = -1 };
}

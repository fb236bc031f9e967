#include "runner/exec/git_credential_command.h"

#include "common/crypto.h"
#include "common/scope.h"
#include "context/url.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/child.h"
#include "runner/exec/exec.h"
#include "runner/exec/runlog.h"

enum { ANSWER_BYTES = 8 * 1024, LIMIT_MS = 30 * 1000 };

/* ---- what is asked ---- */

static int refuse(struct err *err)
{
	return err_set(err, ERR_INVALID, "url_invalid",
		       "no credential is asked for: the URL is none of http or https, or has a "
		       "control character or a bad escape in it");
}

int git_credential_question(struct buf *out, const char *url, struct err *err)
{
	cleanup_buf struct buf path = BUF_INIT;
	struct url u;

	if (!url_split(&u, str_from(url)) ||
	    !(str_is(u.scheme, "https") || str_is(u.scheme, "http")))
		return refuse(err);
	struct str rest = u.path;
	while (str_starts(rest, "/"))
		rest = str_after(rest, 1);
	while (str_ends(rest, "/"))
		rest.len--;
	if (str_has_control(str_from(url)) || percent_decode(&path, rest, false) < 0 ||
	    str_has_control(buf_str(&path)))
		return refuse(err);
	buf_addf(out, "protocol=" STR_FMT "\nhost=" STR_FMT, STR_ARG(u.scheme), STR_ARG(u.host));
	if (u.port.len)
		buf_addf(out, ":" STR_FMT, STR_ARG(u.port));
	if (path.len)
		buf_addf(out, "\npath=%s", path.ptr);
	return buf_adds(out, "\n\n");
}

/* ---- what is answered ---- */

struct answer {
	struct git_credential *credential;
	bool quit;
	const char *wrong; /* the first thing that is, or NULL */
};

static void note(struct answer *a, const char *wrong)
{
	if (!a->wrong)
		a->wrong = wrong;
}

static void read_line(struct answer *a, struct str line)
{
	size_t equals = str_find(line, '=', 0);
	struct str key = str_slice(line, 0, equals), value = str_after(line, equals + 1);

	if (equals == line.len)
		note(a, "a line without '='");
	if (str_has_control(line))
		note(a, "a control character");
	if (str_is(key, "username")) {
		free(a->credential->username);
		a->credential->username = value.len ? str_dup(value) : NULL;
		if (str_find(value, ':', 0) < value.len)
			note(a, "a ':' in the user name");
	} else if (str_is(key, "password")) {
		secret_set(&a->credential->token, value);
	} else if (str_is(key, "quit")) {
		a->quit = str_is(value, "1") || str_is(value, "true");
	}
}

int git_credential_answer(struct git_credential *out, struct str text, struct err *err)
{
	struct answer a = { .credential = out };
	struct str line;

	while (str_split(&text, '\n', &line) && line.len)
		read_line(&a, line);
	if (a.wrong)
		return err_set(err, ERR_UNAVAILABLE, "git_credential", "its answer has %s",
			       a.wrong);
	if (a.quit || !secret_is_set(&out->token))
		git_credential_release(out);
	return 0;
}

/* ---- asking ---- */

/* What a program needs to find its parts; nothing that tells of the service or of the run. */
static void take_environment(struct strvec *env)
{
	static const char *const names[] = { "PATH", "HOME" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value)
			strvec_pushf(env, "%s=%s", names[i], value);
	}
}

static int converse(struct buf *answer, struct buf *complaint, struct exec *x, struct str question,
		    struct err *err)
{
	cleanup_strvec struct strvec env = { 0 };
	struct child_result result;

	take_environment(&env);
	const struct child_opts opts = {
		.argv = x->spec.git_credential_command.items,
		.envp = env.items,
		.input = question,
		.out = answer,
		.tail = complaint,
		.limit_ms = LIMIT_MS,
	};
	if (x->cgroup)
		cgroup_entered(x->cgroup);
	if (child_run(&result, x, &opts, err) < 0)
		return -1;
	if (result.signal)
		return err_set(err, ERR_UNAVAILABLE, "git_credential", "signal %d ended it",
			       result.signal);
	if (result.exit_code)
		return err_set(err, ERR_UNAVAILABLE, "git_credential", "it ended with exit code %d",
			       result.exit_code);
	return 0;
}

/* Whatever kept the program from answering is one trouble; that the run has to stop is another. */
static int explain(const struct exec *x, const char *url, const struct err *why, struct err *err)
{
	if (err_is(why, "canceled") || err_is(why, "timeout")) {
		if (err)
			*err = *why;
		return -1;
	}
	return err_set(err, ERR_UNAVAILABLE, "git_credential",
		       "the credential command %.100s has none for %.150s: %.200s",
		       x->spec.git_credential_command.items[0], url, why->msg);
}

int git_credential_ask(struct git_credential *out, struct exec *x, const char *url, struct err *err)
{
	cleanup_buf struct buf question = BUF_INIT, complaint = BUF_LIMIT(ANSWER_BYTES);
	struct buf answer = BUF_LIMIT(ANSWER_BYTES);
	struct git_credential said = { 0 };
	struct err why = { 0 }, nonsense = { 0 };

	if (git_credential_question(&question, url, err) < 0)
		return -1;
	int rc = converse(&answer, &complaint, x, buf_str(&question), &why);
	if (git_credential_answer(&said, buf_str(&answer), &nonsense) < 0 && rc == 0) {
		why = nonsense;
		rc = -1;
	}
	if (answer.ptr)
		explicit_bzero(answer.ptr, answer.cap);
	buf_release(&answer);
	/* Only now is it known what must not be seen of the program's own words. */
	runlog_mask(x->log, &said.token);
	runlog_write(x->log, buf_str(&complaint));
	runlog_flush(x->log);
	if (rc < 0) {
		git_credential_release(&said);
		return explain(x, url, &why, err);
	}
	*out = said;
	return 0;
}

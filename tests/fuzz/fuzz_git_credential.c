/*
 * The conversation with a credential command: a first line that is a URL asks for itself alone,
 * and what follows it, read as an answer, is a credential that HTTP can carry, or none.
 */
#include "tests/fuzz/fuzz.h"

#include "runner/exec/git_credential_command.h"

static void must(bool good)
{
	if (!good)
		abort();
}

static void ask(struct str url)
{
	struct buf question = BUF_INIT;
	char *text = str_dup(url);
	size_t lines = 0;

	if (git_credential_question(&question, text, NULL) == 0) {
		for (size_t i = 0; i < question.len; i++) {
			must((unsigned char)question.ptr[i] >= ' ' || question.ptr[i] == '\n');
			lines += question.ptr[i] == '\n';
		}
		must(lines == 3 || lines == 4); /* protocol, host, perhaps path, and the end */
		must(str_starts(buf_str(&question), "protocol=http"));
		must(str_ends(buf_str(&question), "\n\n"));
	}
	buf_release(&question);
	free(text);
}

static void answer(struct str text)
{
	struct git_credential c = { 0 };

	if (git_credential_answer(&c, text, NULL) == 0) {
		must(!c.username || secret_is_set(&c.token));
		must(!c.username || !strchr(c.username, ':'));
		must(!c.username || !str_has_control(str_from(c.username)));
		must(!str_has_control((struct str){ secret_reveal(&c.token), c.token.len }));
	}
	git_credential_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	size_t end = str_find(text, '\n', 0);

	ask(str_slice(text, 0, end));
	answer(str_after(text, end + 1));
	return 0;
}

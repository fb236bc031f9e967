#include "queue/secrets.h"

#include <ctype.h>

#include "common/json.h"
#include "common/scope.h"

static char *run_row(const struct run *run)
{
	return xasprintf("run/%s", run->id);
}

/* In lower case: names of registries and tasks are compared without case. */
static char *task_row(const struct task *task)
{
	char *row = xasprintf("task/%s/%s", task->registry, task->name);

	for (char *p = row; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return row;
}

/* Takes `secrets`, which may be NULL, and `row`. */
static void seal_json(struct buf *box, json_t *secrets, char *row,
		      const unsigned char key[SEAL_KEY_BYTES])
{
	if (secrets) {
		char *text = json_text(secrets);
		seal(box, key, str_from(row), str_from(text));
		explicit_bzero(text, strlen(text));
		free(text);
		json_decref(secrets);
	}
	free(row);
}

void secrets_seal_run(struct buf *box, const struct run *run,
		      const unsigned char key[SEAL_KEY_BYTES])
{
	seal_json(box, build_secrets_to_json(&run->build), run_row(run), key);
}

void secrets_seal_task(struct buf *box, const struct task *task,
		       const unsigned char key[SEAL_KEY_BYTES])
{
	seal_json(box, task_secrets_to_json(task), task_row(task), key);
}

static void wipe(struct buf *text)
{
	if (text->ptr)
		explicit_bzero(text->ptr, text->len);
	buf_release(text);
}

/* Takes `row`. */
static int open_json(json_t **out, struct str box, char *row,
		     const unsigned char key[SEAL_KEY_BYTES], struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = unseal(&text, key, str_from(row), box, err);

	if (rc == 0)
		rc = json_read(out, buf_str(&text), NULL, err);
	if (rc < 0)
		err_wrap(err, "the secrets of %s", row);
	wipe(&text);
	free(row);
	return rc;
}

int secrets_open_run(struct run *run, const unsigned char key[SEAL_KEY_BYTES], struct str box,
		     struct err *err)
{
	cleanup_json json_t *secrets = NULL;

	if (box.len == 0)
		return 0;
	if (open_json(&secrets, box, run_row(run), key, err) < 0)
		return -1;
	build_secrets_merge(&run->build, secrets);
	return 0;
}

int secrets_open_task(struct task *task, const unsigned char key[SEAL_KEY_BYTES], struct str box,
		      struct err *err)
{
	cleanup_json json_t *secrets = NULL;

	if (box.len == 0)
		return 0;
	if (open_json(&secrets, box, task_row(task), key, err) < 0)
		return -1;
	task_secrets_merge(task, secrets);
	return 0;
}

#include "runner/launch/spare.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"

struct spare {
	struct uv_loop_s *loop;
	char *program, *err_path;
	struct process *process; /* or NULL */
};

struct spare *spare_create(struct uv_loop_s *loop, const char *program, const char *data_dir)
{
	struct spare *s = xnew(struct spare);

	s->loop = loop;
	s->program = xstrdup(program);
	s->err_path = xasprintf("%s/spare.err", data_dir);
	return s;
}

static void on_end(int status, void *data)
{
	struct spare *s = data;
	char how[80];

	log_warn("spare.ended", "how=\"%s\" see=\"%s\"", process_end_text(how, sizeof how, status),
		 s->err_path);
	process_close(s->process);
	s->process = NULL;
}

void spare_want(struct spare *s)
{
	struct err err = { 0 };
	struct process_opts opts = {
		.program = s->program,
		.err_path = s->err_path,
		.on_end = on_end,
		.data = s,
	};

	if (s->process)
		return;
	if (process_start(&s->process, s->loop, &opts, &err) < 0)
		log_warn("spare.failed", "error=\"%s\"", err.msg);
}

struct process *spare_take(struct spare *s)
{
	struct process *process = s->process;

	if (!process || !process_is_alive(process))
		return NULL; /* a dead one is dropped when its end is told */
	s->process = NULL;
	return process;
}

const char *spare_err_path(const struct spare *s)
{
	return s->err_path;
}

void spare_destroy(struct spare *s)
{
	if (!s)
		return;
	process_close(s->process);
	free(s->program);
	free(s->err_path);
	free(s);
}

#include "runner/launch/spare.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/scope.h"

struct spare {
	struct uv_loop_s *loop;
	char *program, *data_dir;
	struct process *process; /* or NULL */
	char *err_path;          /* of the process, or of the last one that died */
	unsigned started;        /* makes the names of the files differ */
};

/* Of an earlier server: its spares are gone. */
static void remove_leftovers(const char *data_dir)
{
	cleanup_dir DIR *dir = opendir(data_dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct str name = str_from(entry->d_name);
		if (str_starts(name, "spare-") && str_ends(name, ".err"))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
}

struct spare *spare_create(struct uv_loop_s *loop, const char *program, const char *data_dir)
{
	struct spare *s = xnew(struct spare);

	s->loop = loop;
	s->program = xstrdup(program);
	s->data_dir = xstrdup(data_dir);
	remove_leftovers(data_dir);
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

static void forget_err_file(struct spare *s)
{
	if (s->err_path)
		unlink(s->err_path);
	free(s->err_path);
	s->err_path = NULL;
}

void spare_want(struct spare *s)
{
	struct err err = { 0 };
	struct process_opts opts = { .program = s->program, .on_end = on_end, .data = s };

	if (s->process)
		return;
	forget_err_file(s);
	s->err_path = xasprintf("%s/spare-%u.err", s->data_dir, ++s->started);
	opts.err_path = s->err_path;
	if (process_start(&s->process, s->loop, &opts, &err) < 0)
		log_warn("spare.failed", "error=\"%s\"", err.msg);
}

struct process *spare_take(struct spare *s, char **err_path)
{
	struct process *process = s->process;

	if (!process || !process_is_alive(process))
		return NULL; /* a dead one is dropped when its end is told */
	*err_path = s->err_path;
	s->process = NULL;
	s->err_path = NULL;
	return process;
}

void spare_destroy(struct spare *s)
{
	if (!s)
		return;
	process_close(s->process);
	forget_err_file(s);
	free(s->program);
	free(s->data_dir);
	free(s);
}

#include "runner/contract/report.h"

#include "common/json.h"
#include "common/scope.h"

enum {
	REPORT_VERSION = 1,
	LINE_MAX_BYTES = 8192,
	STEPS_MAX = 100,
	NAME_MAX_BYTES = 100,
	WORD_MAX_BYTES = 40,
	MESSAGE_MAX_BYTES = 1024, /* 6 KiB when every byte has to be written as an escape */
};

static const char *const types[] = {
	[REPORT_STARTED] = "started",         [REPORT_STEP] = "step",   [REPORT_COMMIT] = "commit",
	[REPORT_PUSH_WANTED] = "push-wanted", [REPORT_IMAGE] = "image", [REPORT_RESULT] = "result",
};

/* ---- writing ---- */

static void put(json_t *object, const char *key, const char *text, size_t limit)
{
	cleanup_free char *cut = text ? xstrndup(text, limit) : NULL;
	json_put_string(object, key, cut);
}

static void put_image(json_t *object, const struct image *i)
{
	json_put_string(object, "registry", i->registry);
	json_put_string(object, "repository", i->repository);
	json_put_string(object, "tag", i->tag);
	json_put_string(object, "digest", i->digest);
}

void report_format(struct buf *out, const struct report_line *line)
{
	cleanup_json json_t *object = json_object();

	json_object_set_new(object, "v", json_integer(REPORT_VERSION));
	json_put_string(object, "type", types[line->type]);
	json_object_set_new(object, "time", json_integer(line->time_ms));
	json_object_set_new(object, "attempt", json_integer(line->attempt));
	if (line->type == REPORT_STARTED)
		json_object_set_new(object, "pid", json_integer(line->pid));
	if (line->type == REPORT_STEP || line->type == REPORT_RESULT)
		json_put_string(object, "status", run_status_name(line->status));
	if (line->type == REPORT_IMAGE)
		put_image(object, &line->image);
	put(object, "name", line->name, NAME_MAX_BYTES);
	put(object, "id", line->commit, NAME_MAX_BYTES);
	put(object, "errorCode", line->error_code, WORD_MAX_BYTES);
	put(object, "message", line->message, MESSAGE_MAX_BYTES);

	cleanup_free char *text = json_text(object);
	buf_adds(out, text);
	buf_addc(out, '\n');
}

/* ---- reading ---- */

static int invalid(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "report_invalid", "a line of the report is damaged: %s",
		       what);
}

static enum report_type type_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(word, types[i]) == 0)
			return (enum report_type)i;
	return REPORT_UNKNOWN;
}

static int read_status(struct report_line *line, const json_t *object, struct err *err)
{
	const char *status = NULL;

	if (json_need_string(object, "", "status", &status, err) < 0)
		return -1;
	if (run_status_parse(&line->status, str_from(status)) < 0)
		return invalid(err, "its status is none");
	if (line->type == REPORT_RESULT && !run_status_is_terminal(line->status))
		return invalid(err, "its result is no end");
	if (line->type == REPORT_STEP && line->status < RUN_RUNNING)
		return invalid(err, "its step's status is none of a step");
	return 0;
}

static int read_step(struct report_line *line, const json_t *object, struct err *err)
{
	const char *name = NULL;

	if (json_need_string(object, "", "name", &name, err) < 0)
		return -1;
	line->name = xstrdup(name);
	return read_status(line, object, err);
}

static int read_commit(struct report_line *line, const json_t *object, struct err *err)
{
	const char *id = NULL;

	if (json_need_string(object, "", "id", &id, err) < 0)
		return -1;
	line->commit = xstrdup(id);
	return 0;
}

/* Through its text, so that only what is an image comes in. */
static int read_image(struct report_line *line, const json_t *object, struct err *err)
{
	const char *registry = NULL, *repository = NULL, *tag = NULL, *digest = NULL;

	if (json_opt_string(object, "", "registry", &registry, err) < 0 ||
	    json_need_string(object, "", "repository", &repository, err) < 0 ||
	    json_opt_string(object, "", "tag", &tag, err) < 0 ||
	    json_opt_string(object, "", "digest", &digest, err) < 0)
		return -1;
	const struct image said = {
		.registry = (char *)registry,
		.repository = (char *)repository,
		.tag = (char *)tag,
		.digest = (char *)digest,
	};
	cleanup_free char *text = image_text(&said);
	return image_parse(&line->image, str_from(text), err);
}

static int read_result(struct report_line *line, const json_t *object, struct err *err)
{
	const char *word = NULL, *message = NULL;

	if (json_opt_string(object, "", "errorCode", &word, err) < 0 ||
	    json_opt_string(object, "", "message", &message, err) < 0)
		return -1;
	line->error_code = xstrdup(word);
	line->message = xstrdup(message);
	return read_status(line, object, err);
}

static int read_started(struct report_line *line, const json_t *object, struct err *err)
{
	return json_opt_int(object, "", "pid", 0, INT32_MAX, &line->pid, err);
}

static int (*const readers[])(struct report_line *, const json_t *, struct err *) = {
	[REPORT_STARTED] = read_started, [REPORT_STEP] = read_step,   [REPORT_COMMIT] = read_commit,
	[REPORT_PUSH_WANTED] = NULL,     [REPORT_IMAGE] = read_image, [REPORT_RESULT] = read_result,
	[REPORT_UNKNOWN] = NULL,
};

static int read_line(struct report_line *line, const json_t *object, struct err *err)
{
	const char *type = NULL;
	int64_t version = 0, attempt = 0;

	if (json_opt_int(object, "", "v", 1, INT32_MAX, &version, err) < 0 ||
	    json_need_string(object, "", "type", &type, err) < 0 ||
	    json_opt_int(object, "", "time", 0, INT64_MAX, &line->time_ms, err) < 0 ||
	    json_opt_int(object, "", "attempt", 0, INT32_MAX, &attempt, err) < 0)
		return -1;
	line->attempt = (int)attempt;
	line->type = version == REPORT_VERSION ? type_of(type) : REPORT_UNKNOWN;
	return readers[line->type] ? readers[line->type](line, object, err) : 0;
}

int report_parse(struct report_line *out, struct str text, struct err *err)
{
	const struct json_limits limits = { .depth = 4, .nodes = 64 };
	struct report_line line = { 0 };
	cleanup_json json_t *object = NULL;
	struct err why = { 0 };

	if (text.len > LINE_MAX_BYTES)
		return invalid(err, "it is longer than 8 KiB");
	if (json_read(&object, text, &limits, &why) < 0)
		return invalid(err, why.msg);
	if (read_line(&line, object, &why) < 0) {
		report_line_release(&line);
		return err_is(&why, "report_invalid")
			       ? err_set(err, why.code, why.word, "%s", why.msg)
			       : invalid(err, why.msg);
	}
	*out = line;
	return 0;
}

void report_line_release(struct report_line *line)
{
	if (!line)
		return;
	free(line->name);
	free(line->commit);
	image_release(&line->image);
	free(line->error_code);
	free(line->message);
	*line = (struct report_line){ 0 };
}

/* ---- folding ---- */

static void replace(char **text, const char *with)
{
	char *copy = xstrdup(with);
	free(*text);
	*text = copy;
}

/* What an earlier attempt has told counts no more. */
static void forget(struct run *run)
{
	struct run told = {
		.steps = run->steps,
		.steps_len = run->steps_len,
		.images = run->images,
		.images_len = run->images_len,
		.commit = run->commit,
		.error_code = run->error_code,
		.error_message = run->error_message,
	};
	run->steps = NULL;
	run->images = NULL;
	run->steps_len = run->images_len = 0;
	run->commit = run->error_code = run->error_message = NULL;
	run_release(&told);
}

static struct run_step *find_step(struct run *run, const char *name)
{
	for (size_t i = 0; i < run->steps_len; i++)
		if (strcmp(run->steps[i].name, name) == 0)
			return &run->steps[i];
	if (run->steps_len == STEPS_MAX)
		return NULL;
	run->steps = xreallocarray(run->steps, run->steps_len + 1, sizeof *run->steps);
	struct run_step *step = &run->steps[run->steps_len++];
	*step = (struct run_step){ .name = xstrdup(name), .status = RUN_RUNNING };
	return step;
}

static void apply_step(struct run *run, const struct report_line *line)
{
	struct run_step *step = find_step(run, line->name);

	if (!step)
		return;
	step->status = line->status;
	if (!step->start_ms)
		step->start_ms = line->time_ms;
	step->end_ms = run_status_is_terminal(line->status) ? line->time_ms : 0;
}

static void apply_image(struct run *run, const struct report_line *line)
{
	if (run->images_len == BUILD_IMAGES_MAX)
		return;
	run->images = xreallocarray(run->images, run->images_len + 1, sizeof *run->images);
	run->images[run->images_len] = (struct image){ 0 };
	image_copy(&run->images[run->images_len++], &line->image);
}

/* A step that was under way ends as the run does. */
static void apply_result(struct run *run, const struct report_line *line)
{
	run->status = line->status;
	replace(&run->error_code, line->error_code);
	replace(&run->error_message, line->message);
	for (size_t i = 0; i < run->steps_len; i++) {
		struct run_step *step = &run->steps[i];
		if (run_status_is_terminal(step->status))
			continue;
		step->status = line->status;
		step->end_ms = line->time_ms;
	}
}

void report_apply(struct run *run, const struct report_line *line)
{
	if (line->type == REPORT_UNKNOWN || line->attempt < run->attempt ||
	    run_status_is_terminal(run->status))
		return;
	if (line->type == REPORT_STARTED || line->attempt > run->attempt) {
		forget(run);
		run->attempt = line->attempt;
		run->status = RUN_RUNNING;
	}
	switch (line->type) {
	case REPORT_STEP: apply_step(run, line); break;
	case REPORT_COMMIT: replace(&run->commit, line->commit); break;
	case REPORT_IMAGE: apply_image(run, line); break;
	case REPORT_RESULT: apply_result(run, line); break;
	default: break;
	}
}

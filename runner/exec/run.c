#include "runner/exec/run.h"

#include "common/clock.h"
#include "common/scope.h"
#include "model/cause.h"
#include "runner/contract/rundir.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/engine.h"
#include "runner/exec/images.h"
#include "runner/exec/push.h"
#include "runner/exec/runlog.h"

/* What a step did, in its own words and with its own errors. */
static void begin_step(const struct exec *x, const char *name)
{
	exec_report(x, (struct report_line){
			       .type = REPORT_STEP, .name = (char *)name, .status = RUN_RUNNING });
}

/* Returns rc. */
static int end_step(const struct exec *x, const char *name, int rc, const struct err *err)
{
	enum run_status status = rc < 0 ? cause_of(err->word)->status : RUN_SUCCEEDED;

	exec_report(x, (struct report_line){
			       .type = REPORT_STEP, .name = (char *)name, .status = status });
	return rc;
}

/* ---- the steps ---- */

static int fetch(struct source *source, struct exec *x, struct err *err)
{
	if (source_fetch(source, x, err) < 0)
		return -1;
	if (source->commit)
		exec_report(x, (struct report_line){ .type = REPORT_COMMIT,
						     .commit = source->commit });
	return 0;
}

/* Replace a text by what its variables make of it. */
static int expand(char **text, const struct exec *x, const struct source *source, struct err *err)
{
	char *expanded = NULL;

	if (!*text)
		return 0;
	if (image_vars_expand(&expanded, x, source, *text, err) < 0)
		return -1;
	free(*text);
	*text = expanded;
	return 0;
}

/* The arguments and the target may hold variables, as image names do; secrets are left alone. */
static int expand_options(struct build *options, const struct exec *x, const struct source *source,
			  struct err *err)
{
	for (size_t i = 0; i < options->args_len; i++) {
		if (expand(&options->args[i].value, x, source, err) < 0)
			return err_wrap(err, "build argument %.100s", options->args[i].name);
	}
	if (expand(&options->target, x, source, err) < 0)
		return err_wrap(err, "target");
	return 0;
}

static int build(struct engine *engine, const struct engine_ops *ops, struct exec *x,
		 const struct source *source, const struct image_names *names, struct err *err)
{
	struct build options = { 0 };
	struct engine_build wanted = {
		.context_dir = source->dir,
		.dockerfile = source->dockerfile,
		.images = &names->texts,
		.options = &options,
	};

	build_copy(&options, &x->spec.build);
	int rc = expand_options(&options, x, source, err);
	if (rc == 0)
		rc = ops->build(engine, &wanted, err);
	build_release(&options);
	return rc;
}

static int build_and_push(struct exec *x, const struct source *source,
			  const struct image_names *names, struct err *err)
{
	const struct engine_ops *ops = engine_find(x->spec.engine.kind);
	struct engine *engine = NULL;

	if (!ops)
		return err_set(err, ERR_INVALID, "engine_missing", "there is no engine %.40s",
			       x->spec.engine.kind);
	cgroup_entered(x->cgroup);
	begin_step(x, "build");
	int rc = ops->open(&engine, x, err);
	if (rc == 0)
		rc = build(engine, ops, x, source, names, err);
	end_step(x, "build", rc, err);
	if (rc == 0 && x->spec.build.push && names->len) {
		begin_step(x, "push");
		rc = end_step(x, "push", push_images(x, engine, ops, names, err), err);
	}
	if (engine)
		ops->close(engine);
	return rc;
}

static int carry_out(struct exec *x, struct err *err)
{
	struct source source = { 0 };
	struct image_names names = { 0 };

	begin_step(x, "fetch");
	int rc = fetch(&source, x, err);
	if (rc == 0)
		rc = image_names_make(&names, x, &source, err);
	end_step(x, "fetch", rc, err);
	if (rc == 0)
		rc = build_and_push(x, &source, &names, err);
	image_names_release(&names);
	source_release(&source);
	return rc;
}

/* ---- around them ---- */

static void mask_secrets(struct exec *x)
{
	const struct spec *spec = &x->spec;

	for (size_t i = 0; i < spec->registries_len; i++)
		runlog_mask(x->log, &spec->registries[i].password);
	for (size_t i = 0; i < spec->git_credentials_len; i++)
		runlog_mask(x->log, &spec->git_credentials[i].token);
	for (size_t i = 0; i < spec->build.args_len; i++)
		runlog_mask(x->log, &spec->build.args[i].secret);
}

static int open_log(struct exec *x, struct err *err)
{
	cleanup_free char *path = rundir_path(x->spec.data_dir, x->spec.run_id, "log");
	const struct spec_limits *limits = &x->spec.limits;

	if (runlog_open(&x->log, path, limits->log_bytes, limits->log_line_bytes, err) < 0)
		return -1;
	mask_secrets(x);
	return 0;
}

static void say_beginning(const struct exec *x, const struct isolation *isolation)
{
	if (x->spec.attempt > 1)
		runlog_say(x->log, "Run %s, attempt %d", x->spec.run_id, x->spec.attempt);
	else
		runlog_say(x->log, "Run %s", x->spec.run_id);
	if (!isolation->pid || !isolation->mount)
		runlog_say(x->log, "This run is not isolated: %s", isolation->why);
}

/* Two sentences, whatever the first one ends with. */
static char *with_hint(const char *text, const char *hint)
{
	size_t len = strlen(text);
	bool ended = len && strchr(".?!", text[len - 1]);

	if (!hint || !*hint)
		return xstrdup(text);
	return xasprintf("%s%s %s", text, ended ? "" : ".", hint);
}

/* The last words in the log, and the result. The log is on disk before the result is. */
static enum run_status tell_end(struct exec *x, int rc, const struct err *err)
{
	const struct cause *cause = rc < 0 ? cause_of(err->word) : NULL;
	enum run_status status = cause ? cause->status : RUN_SUCCEEDED;
	cleanup_free char *message = NULL;

	if (cause) {
		message = with_hint(err->msg, cause->hint);
		runlog_say(x->log, "Run %s %s (%s): %s", x->spec.run_id, run_status_name(status),
			   err->word, message);
	} else {
		runlog_say(x->log, "Run %s %s", x->spec.run_id, run_status_name(status));
	}
	runlog_close(x->log);
	x->log = NULL;
	exec_report(x, (struct report_line){
			       .type = REPORT_RESULT,
			       .status = status,
			       .error_code = cause ? (char *)err->word : NULL,
			       .message = message,
		       });
	return status;
}

enum run_exit run_main(struct exec *x, const struct isolation *isolation)
{
	struct err err = { 0 };

	if (open_log(x, &err) < 0) {
		exec_report(x, (struct report_line){
				       .type = REPORT_RESULT,
				       .status = RUN_ERROR,
				       .error_code = err.word,
				       .message = err.msg,
			       });
		return RUN_EXIT_DONE;
	}
	say_beginning(x, isolation);
	int rc = carry_out(x, &err);
	enum run_status status = tell_end(x, rc, &err);
	return status == RUN_SUCCEEDED ? RUN_EXIT_DONE : RUN_EXIT_SWEEP;
}

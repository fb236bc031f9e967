#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/buildah_errors.h"
#include "runner/exec/child.h"
#include "runner/exec/exec.h"
#include "runner/exec/runlog.h"

enum { TAIL_BYTES = 16 * 1024 };

static int run_push(struct engine *e, const struct strvec *argv, struct err *err)
{
	cleanup_buf struct buf tail = BUF_LIMIT(TAIL_BYTES);
	struct child_result result;
	struct child_opts opts = {
		.argv = argv->items, .envp = e->b.env.items, .log = e->x->log, .tail = &tail
	};

	if (child_run(&result, e->x, &opts, err) < 0)
		return buildah_start_failed(err);
	if (result.exit_code == 0)
		return 0;
	struct buildah_end end = { .phase = BUILDAH_PUSH,
				   .result = result,
				   .tail = buf_str(&tail),
				   .memory_bytes = e->x->spec.limits.memory_bytes };
	buildah_explain(&end, err);
	buildah_hide_secrets(&e->x->spec, err);
	return -1;
}

/* By image id: exactly what this run built, whatever happens to names meanwhile. */
int buildah_push(struct engine *e, const char *image, char **digest, struct err *err)
{
	cleanup_strvec struct strvec argv = { 0 };
	cleanup_free char *digits = NULL;

	if (!e->image_id)
		return err_set(err, ERR_INTERNAL, "internal", "nothing was built to be pushed");
	buildah_argv(&e->b, &argv, "push");
	strvec_pushf(&argv, "--signature-policy=%s/policy.json", e->b.dir);
	strvec_pushf(&argv, "--digestfile=%s/digest", e->b.dir);
	strvec_push(&argv, "--retry=0");
	strvec_push(&argv, e->image_id);
	strvec_pushf(&argv, "docker://%s", image);
	if (run_push(e, &argv, err) < 0 || buildah_read_digest(&digits, &e->b, "digest", err) < 0)
		return -1;
	*digest = xasprintf("sha256:%s", digits);
	return 0;
}

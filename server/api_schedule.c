/* POST /scheduleRun: a DockerBuildRequest becomes a run. */
#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"
#include "model/vars.h"
#include "queue/queue.h"
#include "server/api.h"
#include "server/context_check.h"
#include "server/disk.h"

/* The request's kind decides; the others of ACR come with later versions. */
static int check_type(const json_t *request, struct err *err)
{
	static const char *const later[] = { "FileTaskRunRequest", "EncodedTaskRunRequest",
					     "TaskRunRequest" };
	const char *type = NULL;

	if (json_need_string(request, "", "type", &type, err) < 0)
		return -1;
	if (strcmp(type, "DockerBuildRequest") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		if (strcmp(type, later[i]) == 0)
			return err_set(err, ERR_INVALID, "not_available",
				       "type: this version runs DockerBuildRequest, not %s", type);
	}
	return err_set(err, ERR_INVALID, "bad_request",
		       "type: '%.60s' is no run request; want DockerBuildRequest", type);
}

/* Images that name no registry go to the run's; there must be one to push to. */
static int check_push(const struct build *build, const struct config_registry *registry,
		      struct err *err)
{
	STRVEC_FOREACH (name, &build->images) {
		cleanup_buf struct buf sample = BUF_INIT;
		struct image image = { 0 };
		if (vars_expand_sample(&sample, str_from(*name), err) < 0 ||
		    image_parse(&image, buf_str(&sample), err) < 0)
			return -1;
		bool nowhere = !image.registry && !registry->login_server;
		image_release(&image);
		if (nowhere)
			return err_set(
				err, ERR_INVALID, "registry_missing",
				"imageNames: '%.100s' names no registry, and none is configured: list one under "
				"'registries', or build with isPushEnabled false",
				*name);
	}
	return 0;
}

static int read_request(struct call *c, struct run *run, const json_t *request, struct err *err)
{
	const struct config_registry *registry =
		config_registry(c->app->config, str_from(c->registry));

	if (check_type(request, err) < 0 || build_from_json(&run->build, request, "", err) < 0 ||
	    json_opt_bool(request, "", "isArchiveEnabled", &run->archive_enabled, err) < 0 ||
	    context_check(&run->build, CONTEXT_CHECK_ANY, c->app->config, err) < 0)
		return -1;
	if (run->build.push && run->build.images.len)
		return check_push(&run->build, registry, err);
	return 0;
}

static void on_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	cleanup_json json_t *request = call_body_object(c, body);
	struct run run = { .type = RUN_QUICK_BUILD };
	struct err err = { 0 };

	(void)app;
	if (!request)
		return;
	if (read_request(c, &run, request, &err) < 0 || disk_check_floor(c->app, &err) < 0) {
		run_release(&run);
		call_fail(c, &err);
		return;
	}
	run.registry = xstrdup(c->registry);
	run.reason = xstrdup("manual build");
	queue_submit(c->app->queue, &run, api_answer_run, call_ref(c));
}

void api_schedule_run(struct call *c)
{
	http_body_collect(c->req, (size_t)c->app->config->limits.api_body_bytes, on_body);
}

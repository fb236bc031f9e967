/* run_json: a run as the resource that clients read, and its progress as the row that we keep. */
#include "common/json.h"
#include "common/scope.h"
#include "model/run.h"

/* ---- kept in the row ---- */

static json_t *image_to_json(const struct image *i)
{
	json_t *object = json_object();
	json_put_string(object, "registry", i->registry);
	json_put_string(object, "repository", i->repository);
	json_put_string(object, "tag", i->tag);
	json_put_string(object, "digest", i->digest);
	return object;
}

static json_t *images_to_json(const struct run *r)
{
	json_t *array = json_array();
	for (size_t i = 0; i < r->images_len; i++)
		json_array_append_new(array, image_to_json(&r->images[i]));
	return array;
}

json_t *run_progress_to_json(const struct run *r)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < r->steps_len; i++) {
		const struct run_step *s = &r->steps[i];
		json_t *step = json_object();
		json_put_string(step, "name", s->name);
		json_put_string(step, "status", run_status_name(s->status));
		json_object_set_new(step, "startMs", json_integer(s->start_ms));
		json_object_set_new(step, "endMs", json_integer(s->end_ms));
		json_array_append_new(steps, step);
	}
	json_t *object = json_object();
	json_object_set_new(object, "steps", steps);
	json_object_set_new(object, "images", images_to_json(r));
	return object;
}

static int read_step(struct run_step *s, const json_t *object)
{
	const char *name = NULL, *status = NULL;

	if (json_need_string(object, "", "name", &name, NULL) < 0 ||
	    json_need_string(object, "", "status", &status, NULL) < 0 ||
	    json_opt_int(object, "", "startMs", 0, INT64_MAX, &s->start_ms, NULL) < 0 ||
	    json_opt_int(object, "", "endMs", 0, INT64_MAX, &s->end_ms, NULL) < 0 ||
	    run_status_parse(&s->status, str_from(status)) < 0)
		return -1;
	s->name = xstrdup(name);
	return 0;
}

static int read_image(struct image *i, const json_t *object)
{
	const char *registry = NULL, *repository = NULL, *tag = NULL, *digest = NULL;

	if (json_opt_string(object, "", "registry", &registry, NULL) < 0 ||
	    json_need_string(object, "", "repository", &repository, NULL) < 0 ||
	    json_opt_string(object, "", "tag", &tag, NULL) < 0 ||
	    json_opt_string(object, "", "digest", &digest, NULL) < 0)
		return -1;
	*i = (struct image){ xstrdup(registry), xstrdup(repository), xstrdup(tag),
			     xstrdup(digest) };
	return 0;
}

static int read_progress(struct run *r, const json_t *object)
{
	json_t *steps = NULL, *images = NULL, *item;
	size_t i;

	if (json_opt_array(object, "", "steps", &steps, NULL) < 0 ||
	    json_opt_array(object, "", "images", &images, NULL) < 0)
		return -1;
	r->steps = xcalloc(json_array_size(steps) + 1, sizeof *r->steps);
	r->images = xcalloc(json_array_size(images) + 1, sizeof *r->images);
	json_array_foreach (steps, i, item) {
		if (read_step(&r->steps[i], item) < 0)
			return -1;
		r->steps_len++;
	}
	json_array_foreach (images, i, item) {
		if (read_image(&r->images[i], item) < 0)
			return -1;
		r->images_len++;
	}
	return 0;
}

int run_progress_from_json(struct run *r, const json_t *object)
{
	struct run fresh = { 0 };
	int rc = read_progress(&fresh, object);

	if (rc == 0) {
		struct run old = {
			.steps = r->steps,
			.steps_len = r->steps_len,
			.images = r->images,
			.images_len = r->images_len,
		};
		r->steps = fresh.steps;
		r->steps_len = fresh.steps_len;
		r->images = fresh.images;
		r->images_len = fresh.images_len;
		fresh = old;
	}
	run_release(&fresh);
	return rc;
}

/* ---- shown to clients ---- */

static json_t *steps_to_json(const struct run *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->steps_len; i++) {
		const struct run_step *s = &r->steps[i];
		json_t *step = json_object();
		json_put_string(step, "name", s->name);
		json_put_string(step, "status", run_status_name(s->status));
		json_put_time(step, "start", s->start_ms);
		json_put_time(step, "end", s->end_ms);
		json_array_append_new(array, step);
	}
	return array;
}

/* How long, in ms, when both ends are known. The wall clock may have been set back in between. */
static void put_duration(json_t *object, const char *key, int64_t from_ms, int64_t to_ms)
{
	if (from_ms && to_ms)
		json_object_set_new(object, key,
				    json_integer(to_ms > from_ms ? to_ms - from_ms : 0));
}

static json_t *timings_to_json(const struct run *r)
{
	json_t *object = json_object();

	/* A run that was canceled in the queue waited until then. */
	put_duration(object, "queued", r->create_ms, r->start_ms ? r->start_ms : r->finish_ms);
	for (size_t i = 0; i < r->steps_len; i++)
		put_duration(object, r->steps[i].name, r->steps[i].start_ms, r->steps[i].end_ms);
	return object;
}

static json_t *source_to_json(const struct source_event *s)
{
	json_t *object = json_object();
	json_put_string(object, "id", s->id);
	json_put_string(object, "eventType", s->event_type);
	json_put_string(object, "commitId", s->commit_id);
	json_put_string(object, "repositoryUrl", s->repository_url);
	json_put_string(object, "branchName", s->branch);
	json_put_string(object, "providerType", s->provider);
	return object;
}

/* What was not said is filled in: linux on this machine's architecture. */
static json_t *platform_shown(const struct platform *said)
{
	struct platform p = { 0 };

	platform_copy(&p, said);
	if (!p.os)
		p.os = xstrdup("linux");
	if (!p.architecture)
		p.architecture = xstrdup(platform_host_architecture());
	json_t *object = platform_to_json(&p);
	platform_release(&p);
	return object;
}

static void put_outcome(json_t *p, const struct run *r)
{
	json_put_string(p, "runErrorMessage", r->error_message);
	json_put_string(p, "errorCode", r->error_code);
	json_put_string(p, "commit", r->commit);
	json_put_string(p, "supersededBy", r->superseded_by);
	json_object_set_new(p, "outputImages", images_to_json(r));
	json_object_set_new(p, "steps", steps_to_json(r));
	json_object_set_new(p, "timings", timings_to_json(r));
}

json_t *run_properties_to_json(const struct run *r)
{
	json_t *p = json_object();

	json_put_string(p, "runId", r->id);
	json_put_string(p, "status", run_status_name(r->status));
	json_put_string(p, "runType", run_type_name(r->type));
	json_put_string(p, "provisioningState", "Succeeded");
	json_put_time(p, "createTime", r->create_ms);
	json_put_time(p, "startTime", r->start_ms);
	json_put_time(p, "finishTime", r->finish_ms);
	json_put_time(p, "lastUpdatedTime", r->updated_ms);
	json_put_string(p, "task", r->task);
	json_put_string(p, "reason", r->reason);
	json_object_set_new(p, "attempt", json_integer(r->attempt));
	json_object_set_new(p, "platform", platform_shown(&r->build.platform));
	if (r->source.id)
		json_object_set_new(p, "sourceTrigger", source_to_json(&r->source));
	json_object_set_new(p, "isArchiveEnabled", json_boolean(r->archive_enabled));
	put_outcome(p, r);
	return p;
}

json_t *run_to_json(const struct run *r, const char *prefix)
{
	cleanup_free char *id = xasprintf("%s/runs/%s", prefix, r->id);
	json_t *object = json_object();

	json_put_string(object, "id", id);
	json_put_string(object, "name", r->id);
	json_put_string(object, "type", "Microsoft.ContainerRegistry/registries/runs");
	json_object_set_new(object, "properties", run_properties_to_json(r));
	return object;
}

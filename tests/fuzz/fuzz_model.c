/*
 * The small grammars of model/. The first byte says which: i image, f filter, v variables,
 * r repository, p platform, t task; the rest is the text. What is printed again is the same.
 */
#include "tests/fuzz/fuzz.h"

#include "common/json.h"
#include "model/filter.h"
#include "model/image.h"
#include "model/platform.h"
#include "model/repository.h"
#include "model/task.h"
#include "model/vars.h"

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_be_refused_well(const struct err *err)
{
	must(err->code != ERR_NONE && *err->word && *err->msg);
	must(!str_has_control(str_from(err->msg)) && str_is_utf8(str_from(err->msg)));
}

static int try_image(struct str text, struct err *err)
{
	struct image image = { 0 };

	if (image_parse(&image, text, err) < 0)
		return -1;
	char *again = image_text(&image);
	must(str_is(text, again));
	free(again);
	image_release(&image);
	return 0;
}

static int count_terms(const struct filter *f, int depth)
{
	must(depth <= 128);
	if (f->op != FILTER_AND && f->op != FILTER_OR)
		return 1;
	return count_terms(f->left, depth + 1) + count_terms(f->right, depth + 1);
}

static int try_filter(struct str text, struct err *err)
{
	struct filter *f = NULL;

	if (filter_parse(&f, text, err) < 0)
		return -1;
	must(count_terms(f, 0) <= 64);
	filter_destroy(f);
	return 0;
}

static int try_vars(struct str text, struct err *err)
{
	struct buf out = BUF_LIMIT(4096);
	int rc = vars_expand_sample(&out, text, err);

	must(out.len <= 4096 && (rc == 0 || out.len == 0));
	buf_release(&out);
	return rc;
}

static int try_repository(struct str text, struct err *err)
{
	char *id = NULL;

	if (repository_identity(&id, text, err) < 0)
		return -1;
	must(strchr(id, '/') && str_is_utf8(str_from(id)) && !str_has_control(str_from(id)));
	free(id);
	return 0;
}

static int try_platform(struct str text, struct err *err)
{
	struct platform p = { 0 }, again = { 0 };

	if (platform_parse(&p, text, err) < 0)
		return -1;
	char *shown = platform_text(&p);
	must(platform_parse(&again, str_from(shown), NULL) == 0);
	free(shown);
	platform_release(&p);
	platform_release(&again);
	return 0;
}

static int try_task(struct str text, struct err *err)
{
	struct task task = { 0 }, again = { 0 };
	json_t *object = NULL;

	if (json_read(&object, text, NULL, err) < 0)
		return -1;
	int rc = task_from_json(&task, object, "main", "web", err);
	json_decref(object);
	if (rc < 0)
		return -1;
	json_t *first = task_to_json(&task, "", true);
	must(task_from_json(&again, first, "main", "web", NULL) == 0);
	json_t *second = task_to_json(&again, "", true);
	must(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	task_release(&task);
	task_release(&again);
	return 0;
}

static const struct {
	char letter;
	int (*try)(struct str text, struct err *err);
} grammars[] = {
	{ 'i', try_image },      { 'f', try_filter },   { 'v', try_vars },
	{ 'r', try_repository }, { 'p', try_platform }, { 't', try_task },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data + 1, size - 1 };
	struct err err = { 0 };

	for (size_t i = 0; size > 0 && i < ARRAY_LEN(grammars); i++)
		if (grammars[i].letter == (char)data[0] && grammars[i].try(text, &err) < 0)
			must_be_refused_well(&err);
	return 0;
}

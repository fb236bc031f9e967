#include "runner/contract/tidy.h"

#include <stddef.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"

struct number {
	const char *key;
	size_t offset;
};

static const struct number order_numbers[] = {
	{ "gitBytes", offsetof(struct tidy_order, git_bytes) },
	{ "minFreeBytes", offsetof(struct tidy_order, min_free_bytes) },
};

static const struct number answer_numbers[] = {
	{ "mirrors", offsetof(struct tidy_answer, mirrors) },
	{ "bytes", offsetof(struct tidy_answer, bytes) },
	{ "removed", offsetof(struct tidy_answer, removed) },
	{ "freedBytes", offsetof(struct tidy_answer, freed_bytes) },
	{ "busy", offsetof(struct tidy_answer, busy) },
	{ "repacked", offsetof(struct tidy_answer, repacked) },
};

static void put_numbers(json_t *object, const void *from, const struct number *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const int64_t *value = (const void *)((const unsigned char *)from + rows[i].offset);
		json_object_set_new(object, rows[i].key, json_integer(*value));
	}
}

static int read_numbers(void *to, const json_t *object, const struct number *rows, size_t len,
			struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		int64_t *value = (void *)((unsigned char *)to + rows[i].offset);
		if (json_opt_int(object, "", rows[i].key, 0, INT64_MAX, value, err) < 0)
			return -1;
	}
	return 0;
}

json_t *tidy_order_to_json(const struct tidy_order *o)
{
	json_t *object = json_object();

	json_put_string(object, "dataDir", o->data_dir);
	put_numbers(object, o, order_numbers, ARRAY_LEN(order_numbers));
	return object;
}

int tidy_order_from_json(struct tidy_order *out, const json_t *object, struct err *err)
{
	struct tidy_order order = { 0 };
	const char *dir = NULL;
	struct err why = { 0 };

	if (json_need_string(object, "", "dataDir", &dir, &why) < 0 ||
	    read_numbers(&order, object, order_numbers, ARRAY_LEN(order_numbers), &why) < 0)
		return err_set(err, ERR_INVALID, "spec_invalid", "%s", why.msg);
	order.data_dir = xstrdup(dir);
	*out = order;
	return 0;
}

void tidy_order_release(struct tidy_order *o)
{
	free(o->data_dir);
	*o = (struct tidy_order){ 0 };
}

json_t *tidy_answer_to_json(const struct tidy_answer *a)
{
	json_t *object = json_object();

	put_numbers(object, a, answer_numbers, ARRAY_LEN(answer_numbers));
	json_put_string(object, "problem", a->problem);
	return object;
}

int tidy_answer_from_json(struct tidy_answer *out, const json_t *object, struct err *err)
{
	struct tidy_answer answer = { 0 };
	const char *problem = NULL;
	struct err why = { 0 };

	if (read_numbers(&answer, object, answer_numbers, ARRAY_LEN(answer_numbers), &why) < 0 ||
	    json_opt_string(object, "", "problem", &problem, &why) < 0)
		return err_set(err, ERR_INVALID, "spec_invalid", "%s", why.msg);
	answer.problem = xstrdup(problem);
	*out = answer;
	return 0;
}

void tidy_answer_release(struct tidy_answer *a)
{
	free(a->problem);
	*a = (struct tidy_answer){ 0 };
}

#include "cli/jq.h"

#include <jq.h>

#include "common/scope.h"

/* The first complaint of libjq is the one that helps. */
static void remember(void *data, jv message)
{
	struct err *err = data;
	jv text = jq_format_error(message);

	if (err->code == ERR_NONE && jv_get_kind(text) == JV_KIND_STRING)
		err_set(err, ERR_INVALID, "usage", "--jq: %s", jv_string_value(text));
	jv_free(text);
}

static void add_result(struct buf *out, jv result)
{
	jv text = jv_get_kind(result) == JV_KIND_STRING ? result : jv_dump_string(result, 0);

	buf_add(out, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
	buf_addc(out, '\n');
	jv_free(text);
}

static int run(jq_state *jq, struct buf *out, const char *input, const char *expression,
	       struct err *err)
{
	jv result;

	jq_set_error_cb(jq, remember, err);
	if (!jq_compile(jq, expression)) {
		if (err->code == ERR_NONE)
			err_set(err, ERR_INVALID, "usage", "--jq: '%.200s' is no jq expression",
				expression);
		return -1;
	}
	jq_start(jq, jv_parse(input), 0);
	while (jv_is_valid(result = jq_next(jq)))
		add_result(out, result);
	if (jv_invalid_has_msg(jv_copy(result))) {
		jv message = jv_invalid_get_msg(jv_copy(result));
		err_set(err, ERR_INVALID, "usage", "--jq: %s",
			jv_get_kind(message) == JV_KIND_STRING ? jv_string_value(message)
							       : "error");
		jv_free(message);
	}
	jv_free(result);
	return err->code == ERR_NONE ? 0 : -1;
}

int jq_run(struct buf *out, const json_t *value, const char *expression, struct err *err)
{
	cleanup_free char *input = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	struct err trouble = { 0 };
	jq_state *jq = jq_init();

	if (!jq)
		return err_set(err, ERR_INTERNAL, "internal", "libjq cannot start");
	int rc = run(jq, out, input, expression, &trouble);
	jq_teardown(&jq);
	if (rc < 0)
		*err = trouble;
	return rc;
}

#include "common/json.h"

#include "common/clock.h"
#include "common/json_scan.h"

int json_read(json_t **out, struct str text, const struct json_limits *limits, struct err *err)
{
	/* Everything but duplicate keys is refused before a tree is built. */
	if (json_check(text, limits, err) < 0)
		return -1;

	json_error_t why;
	json_t *root =
		json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!root)
		return err_set(err, ERR_INVALID, "bad_json", "JSON line %d, column %d: %.200s",
			       why.line, why.column, why.text);
	*out = root;
	return 0;
}

/* "PATH.KEY: what", or "KEY: what" at the root. */
static int refuse(struct err *err, const char *path, const char *key, const char *what)
{
	bool root = !path || !*path;
	return err_set(err, ERR_INVALID, "bad_request", "%.150s%s%.100s: %s", root ? "" : path,
		       root ? "" : ".", key, what);
}

/* The value, or NULL when it is absent or null; -1 when `object` is none. */
static int look_up(const json_t *object, const char *path, const char *key, json_t **out,
		   struct err *err)
{
	if (!json_is_object(object)) {
		bool root = !path || !*path;
		return err_set(err, ERR_INVALID, "bad_request", "%.150s: must be an object",
			       root ? "the body" : path);
	}
	json_t *value = json_object_get(object, key);
	*out = json_is_null(value) ? NULL : value;
	return 0;
}

int json_opt_string(const json_t *object, const char *path, const char *key, const char **out,
		    struct err *err)
{
	json_t *value;
	if (look_up(object, path, key, &value, err) < 0)
		return -1;
	if (value && !json_is_string(value))
		return refuse(err, path, key, "must be a string");
	if (value)
		*out = json_string_value(value);
	return 0;
}

int json_need_string(const json_t *object, const char *path, const char *key, const char **out,
		     struct err *err)
{
	const char *value = NULL;
	if (json_opt_string(object, path, key, &value, err) < 0)
		return -1;
	if (!value)
		return refuse(err, path, key, "is required, a string");
	*out = value;
	return 0;
}

int json_opt_bool(const json_t *object, const char *path, const char *key, bool *out,
		  struct err *err)
{
	json_t *value;
	if (look_up(object, path, key, &value, err) < 0)
		return -1;
	if (value && !json_is_boolean(value))
		return refuse(err, path, key, "must be true or false");
	if (value)
		*out = json_is_true(value);
	return 0;
}

int json_opt_int(const json_t *object, const char *path, const char *key, int64_t min, int64_t max,
		 int64_t *out, struct err *err)
{
	json_t *value;
	if (look_up(object, path, key, &value, err) < 0)
		return -1;
	if (!value)
		return 0;
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < min || number > max) {
		char what[100];
		snprintf(what, sizeof what, "must be a whole number from %lld to %lld",
			 (long long)min, (long long)max);
		return refuse(err, path, key, what);
	}
	*out = number;
	return 0;
}

int json_opt_object(const json_t *object, const char *path, const char *key, json_t **out,
		    struct err *err)
{
	json_t *value;
	if (look_up(object, path, key, &value, err) < 0)
		return -1;
	if (value && !json_is_object(value))
		return refuse(err, path, key, "must be an object");
	if (value)
		*out = value;
	return 0;
}

int json_opt_array(const json_t *object, const char *path, const char *key, json_t **out,
		   struct err *err)
{
	json_t *value;
	if (look_up(object, path, key, &value, err) < 0)
		return -1;
	if (value && !json_is_array(value))
		return refuse(err, path, key, "must be an array");
	if (value)
		*out = value;
	return 0;
}

int json_opt_strings(const json_t *object, const char *path, const char *key, struct strvec *out,
		     struct err *err)
{
	json_t *array = NULL, *item;
	size_t i;

	if (json_opt_array(object, path, key, &array, err) < 0)
		return -1;
	json_array_foreach (array, i, item) {
		if (!json_is_string(item))
			return refuse(err, path, key, "must be an array of strings");
	}
	json_array_foreach (array, i, item)
		strvec_push(out, json_string_value(item));
	return 0;
}

char *json_text(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return text ? text : xstrdup("null");
}

/* Text that is not UTF-8 has no place in JSON: U+FFFD for each byte that does not fit. */
static json_t *repaired(const char *text)
{
	struct buf out = BUF_INIT;
	struct str rest = str_from(text);

	while (rest.len) {
		size_t n = str_utf8_length(rest.ptr, rest.len);
		buf_addstr(&out, n ? str_slice(rest, 0, n) : STR("\xef\xbf\xbd"));
		rest = str_after(rest, n ? n : 1);
	}
	json_t *value = json_stringn_nocheck(out.ptr, out.len);
	buf_release(&out);
	return value;
}

void json_put_string(json_t *object, const char *key, const char *text)
{
	if (!text)
		return;
	json_t *value = str_is_utf8(str_from(text)) ? json_string_nocheck(text) : repaired(text);
	json_object_set_new_nocheck(object, key, value);
}

void json_put_time(json_t *object, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];
	if (ms != 0)
		json_put_string(object, key, clock_format(text, ms));
}

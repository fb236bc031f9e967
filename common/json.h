/*
 * json: reading with jansson under our limits, and getters that name the field in their error.
 *
 * json_read() refuses duplicates, NUL, lone surrogates, numbers out of range and trailing bytes.
 * `path` in the getters is where the object stands, for messages: "properties.step". A getter
 * whose key is absent or null leaves *out as it was (opt) or fails (need).
 * Errors: word "bad_json", "json_too_deep", "json_too_big"; for getters "bad_request", and the
 * message begins with the field's path.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/strvec.h"

enum { JSON_DEPTH = 64, JSON_NODES = 200000 };

struct json_limits {
	size_t depth; /* nested arrays and objects, 2048 at most; 0: JSON_DEPTH */
	size_t nodes; /* values in all; 0: JSON_NODES */
};

/* A new reference in *out, of any type. `limits` may be NULL for the defaults. */
int json_read(json_t **out, struct str text, const struct json_limits *limits, struct err *err);

int json_need_string(const json_t *object, const char *path, const char *key, const char **out,
		     struct err *err);
int json_opt_string(const json_t *object, const char *path, const char *key, const char **out,
		    struct err *err);
int json_opt_bool(const json_t *object, const char *path, const char *key, bool *out,
		  struct err *err);
int json_opt_int(const json_t *object, const char *path, const char *key, int64_t min, int64_t max,
		 int64_t *out, struct err *err);
int json_opt_object(const json_t *object, const char *path, const char *key, json_t **out,
		    struct err *err); /* borrowed */
int json_opt_array(const json_t *object, const char *path, const char *key, json_t **out,
		   struct err *err); /* borrowed */
int json_opt_strings(const json_t *object, const char *path, const char *key, struct strvec *out,
		     struct err *err);

/* Compact text of a value, owned by the caller. */
char *json_text(const json_t *value);

/* object[key] = text, or nothing when text is NULL. What is not UTF-8 is replaced. */
void json_put_string(json_t *object, const char *key, const char *text);
/* object[key] = RFC 3339 of ms, or nothing when ms is 0. */
void json_put_time(json_t *object, const char *key, int64_t ms);

#include "tests/unit/webhooks/edit.h"

#include "common/scope.h"
#include "tests/unit/unit.h"

static void edit_member(json_t *object, struct str edit)
{
	bool removes = str_starts(edit, "-");
	size_t equals = str_find(edit, '=', 0);
	struct str path = str_slice(edit, removes, equals), key;

	while (str_split(&path, '.', &key) && path.len) {
		cleanup_free char *name = str_dup(key);
		if (!json_is_object(json_object_get(object, name)))
			json_object_set_new(object, name, json_object());
		object = json_object_get(object, name);
	}
	cleanup_free char *name = str_dup(key), *value = str_dup(str_after(edit, equals + 1));
	if (removes) {
		assert_int_equal(json_object_del(object, name), 0);
		return;
	}
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
	if (!json)
		fail_msg("no JSON: %s", value);
	json_object_set_new(object, name, json);
}

void edit_json(json_t *object, struct str edits)
{
	static const char between[] = " ; ";

	while (edits.len) {
		const char *end = memmem(edits.ptr, edits.len, between, strlen(between));
		size_t n = end ? (size_t)(end - edits.ptr) : edits.len;
		edit_member(object, str_slice(edits, 0, n));
		edits = str_after(edits, end ? n + strlen(between) : n);
	}
}

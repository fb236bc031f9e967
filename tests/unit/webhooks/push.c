#include "tests/unit/webhooks/push.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/unit.h"

static const char to_main[] =
	"{\"ref\":\"refs/heads/main\",\"before\":\"" BEFORE "\",\"after\":\"" TIP "\","
	"\"created\":false,\"deleted\":false,\"forced\":false,"
	"\"repository\":{\"id\":1,\"full_name\":\"acme/app\","
	"\"html_url\":\"https://github.com/acme/app\","
	"\"clone_url\":\"https://github.com/acme/app.git\"},"
	"\"pusher\":{\"name\":\"octocat\",\"email\":\"o@example.org\"},"
	"\"sender\":{\"login\":\"octocat\",\"id\":1},\"commits\":[],\"head_commit\":null}";

/* "path=json" or "-path": set or remove a member of the object or of one object in it. */
static void change(json_t *object, struct str edit)
{
	bool removes = str_starts(edit, "-");
	size_t equals = str_find(edit, '=', 0);
	struct str path = str_slice(edit, removes, equals);
	size_t point = str_find(path, '.', 0);

	if (point < path.len) {
		cleanup_free char *outer = str_dup(str_slice(path, 0, point));
		object = json_object_get(object, outer);
		path = str_after(path, point + 1);
	}
	cleanup_free char *key = str_dup(path), *value = str_dup(str_after(edit, equals + 1));
	if (removes) {
		assert_int_equal(json_object_del(object, key), 0);
		return;
	}
	json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
	if (!json)
		fail_msg("no JSON: %s", value);
	json_object_set_new(object, key, json);
}

void push_body(struct buf *out, struct str spec)
{
	cleanup_json json_t *object = json_loads(to_main, 0, NULL);
	static const char between[] = " ; ";

	assert_non_null(object);
	assert_true(str_starts(spec, "push"));
	struct str rest = str_after(spec, strlen("push"));
	while (rest.len) {
		rest = str_after(rest, strlen(between));
		const char *end = memmem(rest.ptr, rest.len, between, strlen(between));
		size_t n = end ? (size_t)(end - rest.ptr) : rest.len;
		change(object, str_slice(rest, 0, n));
		rest = str_after(rest, n);
	}
	cleanup_free char *text = json_text(object);
	buf_adds(out, text);
}

void push_request(struct saved_request *r, const char *spec, const char *delivery_id)
{
	*r = (struct saved_request){ 0 };
	push_body(&r->body, str_from(spec));
	saved_request_header(r, "X-GitHub-Event", "push");
	saved_request_header(r, "X-GitHub-Delivery", delivery_id);
	saved_request_header(r, "Content-Type", "application/json");
	saved_request_sign(r, SECRET);
}

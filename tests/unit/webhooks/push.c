#include "tests/unit/webhooks/push.h"

#include "common/json.h"
#include "common/scope.h"
#include "tests/unit/unit.h"
#include "tests/unit/webhooks/edit.h"

static const char to_main[] =
	"{\"ref\":\"refs/heads/main\",\"before\":\"" BEFORE "\",\"after\":\"" TIP "\","
	"\"created\":false,\"deleted\":false,\"forced\":false,"
	"\"repository\":{\"id\":1,\"full_name\":\"acme/app\","
	"\"html_url\":\"https://github.com/acme/app\","
	"\"clone_url\":\"https://github.com/acme/app.git\"},"
	"\"pusher\":{\"name\":\"octocat\",\"email\":\"o@example.org\"},"
	"\"sender\":{\"login\":\"octocat\",\"id\":1},\"commits\":[],\"head_commit\":null}";

void push_body(struct buf *out, struct str spec)
{
	cleanup_json json_t *object = json_loads(to_main, 0, NULL);

	assert_non_null(object);
	assert_true(str_starts(spec, "push"));
	edit_json(object, str_after(spec, strlen("push ; ")));
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

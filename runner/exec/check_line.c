#include "runner/exec/check_line.h"

#include "common/json.h"
#include "common/scope.h"

void check_line_add(struct buf *lines, const char *name, bool ok, const char *message,
		    const char *hint)
{
	cleanup_json json_t *line = json_object();

	json_put_string(line, "name", name);
	json_object_set_new(line, "ok", json_boolean(ok));
	json_put_string(line, "message", message);
	json_put_string(line, "hint", hint);
	cleanup_free char *text = json_text(line);
	buf_addf(lines, "%s\n", text);
}

#include "context/clean.h"

#include "common/buf.h"

/* Take the last part off; false when there is none, or it is "..". */
static bool drop_last(struct buf *out, size_t root)
{
	size_t at = out->len;

	while (at > root && out->ptr[at - 1] != '/')
		at--;
	struct str last = str_after(buf_str(out), at);
	if (last.len == 0 || str_is(last, ".."))
		return false;
	buf_truncate(out, at > root ? at - 1 : root);
	return true;
}

char *path_clean(struct str path)
{
	struct buf out = BUF_INIT;
	bool rooted = str_starts(path, "/");
	size_t root = rooted ? 1 : 0;
	struct str rest = path, part;

	if (rooted)
		buf_addc(&out, '/');
	while (str_split(&rest, '/', &part)) {
		if (part.len == 0 || str_is(part, "."))
			continue;
		if (str_is(part, "..") && (drop_last(&out, root) || rooted))
			continue;
		if (out.len > root)
			buf_addc(&out, '/');
		buf_addstr(&out, part);
	}
	if (out.len == 0)
		buf_addc(&out, '.');
	return buf_detach(&out);
}

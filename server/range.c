#include "server/range.h"

int range_parse(struct range *out, struct str text, struct err *err)
{
	struct range r = { .given = true };
	struct str set = str_starts(text, "bytes=") ? str_after(text, 6) : STR("");
	size_t dash = str_find(set, '-', 0);
	struct str first = str_slice(set, 0, dash), last = str_after(set, dash + 1);

	r.suffix = first.len == 0;
	r.open = last.len == 0;
	bool ok = dash < set.len && !(r.suffix && r.open);
	if (ok && !r.suffix)
		ok = str_to_u64(first, INT64_MAX, &r.first);
	if (ok && !r.open)
		ok = str_to_u64(last, INT64_MAX, &r.last);
	if (!ok || (!r.suffix && !r.open && r.last < r.first))
		return err_set(err, ERR_INVALID, "bad_offset",
			       "Range wants one range of bytes, such as bytes=100-");
	*out = r;
	return 0;
}

bool range_resolve(const struct range *r, uint64_t size, uint64_t *first, uint64_t *end)
{
	uint64_t from = r->first, to = r->open || r->last >= size ? size : r->last + 1;

	if (r->suffix) {
		from = size > r->last ? size - r->last : 0;
		to = size;
	}
	if (from >= to || from >= size)
		return false;
	*first = from;
	*end = to;
	return true;
}

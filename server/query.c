#include "server/query.h"

#include "common/scope.h"

int query_number(const struct http_req *req, const char *name, int64_t min, int64_t max,
		 int64_t *out, struct err *err)
{
	struct str text;
	uint64_t number;

	if (!http_query(req, name, &text))
		return 0;
	if (!str_to_u64(text, (uint64_t)max, &number) || (int64_t)number < min)
		return err_set(err, ERR_INVALID, "bad_query", "%s wants a number from %lld to %lld",
			       name, (long long)min, (long long)max);
	*out = (int64_t)number;
	return 0;
}

char *skip_token_text(const struct skip_token *t)
{
	return xasprintf("%lld.%lld", (long long)t->before_seq, (long long)t->sent);
}

int skip_token_read(struct skip_token *out, struct str text, struct err *err)
{
	size_t dot = str_find(text, '.', 0);
	uint64_t seq, sent;

	if (!str_to_u64(str_slice(text, 0, dot), INT64_MAX, &seq) ||
	    !str_to_u64(str_after(text, dot + 1), INT64_MAX, &sent))
		return err_set(err, ERR_INVALID, "bad_query",
			       "$skipToken wants the token of a nextLink, unchanged");
	*out = (struct skip_token){ (int64_t)seq, (int64_t)sent };
	return 0;
}

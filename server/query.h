/* query: checked members of a URL's query. Word "bad_query". */
#pragma once
#include "server/http/http.h"

/* Absent: *out stays. Digits only, within [min, max]. */
int query_number(const struct http_req *req, const char *name, int64_t min, int64_t max,
		 int64_t *out, struct err *err);

/*
 * The opaque $skipToken of a listing of runs: where the page begins (a run's seq, exclusive) and
 * how many of the wanted total were sent already.
 */
struct skip_token {
	int64_t before_seq, sent;
};
char *skip_token_text(const struct skip_token *t); /* owned by the caller */
int skip_token_read(struct skip_token *out, struct str text, struct err *err);

/* GET /runs, GET and PATCH /runs/{id} */
#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "server/api.h"
#include "server/query.h"

enum { PAGE = 100, TOP_MAX = 1000000 };

/* One page of a listing on its way. */
struct listing {
	struct filter *filter;
	char *filter_text; /* as it was asked, for the next link */
	int64_t top;       /* the total wanted; 0: all */
	int64_t sent;      /* before this page */
};

static void listing_release(void *data)
{
	struct listing *l = data;
	filter_destroy(l->filter);
	free(l->filter_text);
	free(l);
}

/* Only while fewer than $top were sent: az shows more than was asked otherwise (acr-wire.md, 4). */
static json_t *next_link(const struct call *c, const struct listing *l, const struct run *last,
			 int64_t sent)
{
	cleanup_buf struct buf link = BUF_INIT;
	cleanup_free char *origin = call_origin(c);
	cleanup_free char *token = skip_token_text(&(struct skip_token){ last->seq, sent });

	buf_addf(&link, "%s%s/runs?$skipToken=%s", origin, c->prefix, token);
	if (l->top)
		buf_addf(&link, "&$top=%lld", (long long)l->top);
	if (l->filter_text) {
		buf_adds(&link, "&$filter=");
		percent_encode(&link, str_from(l->filter_text));
	}
	return json_string(link.ptr);
}

static void on_page(const struct run *runs, size_t len, bool more, const struct err *err,
		    void *data)
{
	struct call *c = data;
	const struct listing *l = c->data;

	if (c->req && err) {
		call_fail(c, err);
	} else if (c->req) {
		json_t *list = json_array(), *answer;
		int64_t sent = l->sent + (int64_t)len;
		for (size_t i = 0; i < len; i++)
			json_array_append_new(list, run_to_json(&runs[i], c->prefix));
		answer = json_pack("{s:o}", "value", list);
		if (more && len && (l->top == 0 || sent < l->top))
			json_object_set_new(answer, "nextLink",
					    next_link(c, l, &runs[len - 1], sent));
		call_respond(c, 200, answer);
	}
	call_unref(c);
}

static int read_listing(struct call *c, struct listing *l, struct skip_token *token,
			struct err *err)
{
	struct str text;

	if (query_number(c->req, "$top", 1, TOP_MAX, &l->top, err) < 0)
		return -1;
	if (http_query(c->req, "$skipToken", &text) && skip_token_read(token, text, err) < 0)
		return -1;
	if (http_query(c->req, "$filter", &text) && str_trim(text).len) {
		if (filter_parse(&l->filter, text, err) < 0)
			return -1;
		l->filter_text = str_dup(text);
	}
	l->sent = token->sent;
	return 0;
}

void api_runs_list(struct call *c)
{
	struct listing *l = xnew(struct listing);
	struct skip_token token = { 0 };
	struct err err = { 0 };

	c->data = l;
	c->release = listing_release;
	if (read_listing(c, l, &token, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	int64_t left = l->top ? l->top - l->sent : PAGE;
	if (left <= 0) {
		call_respond_list(c, json_array());
		return;
	}
	queue_list_runs(c->app->queue, c->registry, l->filter, token.before_seq,
			left < PAGE ? (size_t)left : PAGE, on_page, call_ref(c));
}

void api_answer_run(const struct run *run, const struct err *err, void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req)
		call_respond(c, 200, run_to_json(run, c->prefix));
	call_unref(c);
}

void api_runs_get(struct call *c)
{
	queue_get_run(c->app->queue, c->registry, c->name, api_answer_run, call_ref(c));
}

/* {"isArchiveEnabled": bool}, flat as az sends it, or under "properties". */
static void on_patch_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	cleanup_json json_t *patch = call_body_object(c, body);
	json_t *properties = NULL;
	struct err err = { 0 };
	bool archived = false;

	(void)app;
	if (!patch)
		return;
	if (json_opt_object(patch, "", "properties", &properties, &err) < 0) {
		call_fail(c, &err);
		return;
	}
	const json_t *from = properties ? properties : patch;
	if (!json_object_get(from, "isArchiveEnabled")) {
		http_respond_error(
			req, 400, "bad_request", "isArchiveEnabled",
			"isArchiveEnabled: want true or false; nothing else of a run can be changed");
		return;
	}
	if (json_opt_bool(from, properties ? "properties" : "", "isArchiveEnabled", &archived,
			  &err) < 0) {
		call_fail(c, &err);
		return;
	}
	queue_set_archived(c->app->queue, c->registry, c->name, archived, api_answer_run,
			   call_ref(c));
}

void api_runs_patch(struct call *c)
{
	http_body_collect(c->req, (size_t)c->app->config->limits.api_body_bytes, on_patch_body);
}

/* POST /webhooks/{name}: from HTTP to webhooks/receive.c and back. */
#include "common/log.h"
#include "config/config.h"
#include "server/api.h"
#include "server/metrics.h"
#include "webhooks/receive.h"

const struct webhook *api_webhook(const struct app *app, const char *name)
{
	for (size_t i = 0; i < app->webhooks_len; i++) {
		if (strcmp(app->webhooks[i].name, name) == 0)
			return &app->webhooks[i];
	}
	return NULL;
}

static bool header(const void *http, const char *name, struct str *out)
{
	return http_header(http, name, out);
}

static size_t header_count(const void *http, const char *name)
{
	return http_header_count(http, name);
}

/* Who came without a password is told that one is wanted. */
static void challenge(struct call *c)
{
	const struct webhook *w = api_webhook(c->app, c->name);

	if (w && w->passwords_len)
		http_reply_header(c->req, "WWW-Authenticate", "Basic realm=\"webhook\"");
}

static void on_answer(const struct webhook_answer *a, void *data)
{
	struct call *c = data;

	metrics_delivery(c->app->metrics, a->verdict);
	log_info("delivery", "webhook=%.63s delivery=%s verdict=%s status=%d%s%s", c->name,
		 a->delivery_id, a->verdict, a->status, *a->word ? " error=" : "", a->word);
	if (c->req) {
		if (a->status == 503)
			http_reply_header(c->req, "Retry-After", "5");
		if (a->status == 401)
			challenge(c);
		http_respond_json(c->req, a->status, a->json);
	}
	call_unref(c);
}

static void on_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	const struct webhook *w = api_webhook(app, c->name);
	struct webhook_request request = {
		.header = header, .header_count = header_count, .http = req, .body = body
	};

	/* It was there when the body began; a reload may have taken it away. */
	if (!w)
		http_respond_error(req, 404, "not_found", NULL, "there is no webhook of that name");
	else
		webhook_receive(c->app->queue, w, &request, on_answer, call_ref(c));
}

void webhook_route(struct call *c)
{
	if (!api_webhook(c->app, c->name))
		http_respond_error(c->req, 404, "not_found", NULL,
				   "there is no webhook of that name");
	else
		http_body_collect(c->req, (size_t)c->app->config->limits.webhook_body_bytes,
				  on_body);
}

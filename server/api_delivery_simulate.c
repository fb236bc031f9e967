/* POST /v1/deliveries/simulate: a saved request through webhooks/simulate.c. */
#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"
#include "server/api.h"
#include "webhooks/simulate.h"

/* What webhook_request's functions see: the headers of the JSON, and the event beside them. */
struct saved {
	const json_t *headers; /* {name: value}, or NULL */
	const char *event_header, *event;
};

static bool is_event(const struct saved *saved, const char *name)
{
	return saved->event && str_is_i(str_from(saved->event_header), name);
}

static bool header(const void *http, const char *name, struct str *out)
{
	const struct saved *saved = http;
	const char *key;
	json_t *value;

	if (is_event(saved, name)) {
		*out = str_from(saved->event);
		return true;
	}
	json_object_foreach ((json_t *)saved->headers, key, value) {
		if (str_is_i(str_from(key), name)) {
			*out = str_trim(str_from(json_string_value(value)));
			return true;
		}
	}
	return false;
}

static size_t header_count(const void *http, const char *name)
{
	const struct saved *saved = http;
	const char *key;
	json_t *value;
	size_t n = is_event(saved, name);

	json_object_foreach ((json_t *)saved->headers, key, value)
		n += str_is_i(str_from(key), name);
	return n;
}

/* As strict as a real request's head: no control character gets to a provider. */
static int check_headers(const json_t *headers, const struct config *config, struct err *err)
{
	const char *key;
	json_t *value;

	if (json_object_size(headers) > (size_t)config->limits.head_lines)
		return err_set(err, ERR_LIMIT, "too_large", "headers: want at most %lld",
			       (long long)config->limits.head_lines);
	json_object_foreach ((json_t *)headers, key, value) {
		struct str name = str_from(key), text = str_from(json_string_value(value));
		if (name.len == 0 || str_has_control(name) || !json_is_string(value) ||
		    str_has_control(text) ||
		    name.len + text.len > (size_t)config->limits.head_bytes)
			return err_set(err, ERR_INVALID, "bad_request",
				       "headers: want names with a line of text each");
	}
	return 0;
}

/* The webhook that is named, or the only one. */
static const struct webhook *choose_webhook(const struct app *app, const char *name,
					    struct err *err)
{
	cleanup_buf struct buf names = BUF_INIT;
	const struct webhook *w = name                     ? api_webhook(app, name)
				  : app->webhooks_len == 1 ? app->webhooks
							   : NULL;
	if (w)
		return w;
	for (size_t i = 0; i < app->webhooks_len && i < 10; i++)
		buf_addf(&names, "%s%.63s", i ? ", " : "", app->webhooks[i].name);
	if (name)
		err_set(err, ERR_NOTFOUND, "not_found", "there is no webhook '%.63s'%s%s", name,
			names.len ? "; there are: " : "", buf_str(&names).ptr);
	else
		err_set(err, ERR_INVALID, "bad_request", "webhook: say which%s%s",
			names.len ? " of " : "; none is configured", buf_str(&names).ptr);
	return NULL;
}

static int check_event(const struct saved *saved, const struct webhook *w, struct err *err)
{
	struct str there;

	if (!saved->event)
		return 0;
	if (!saved->event_header)
		return err_set(err, ERR_INVALID, "bad_request",
			       "event: a delivery of %s says its event in the body",
			       w->provider->name);
	if (str_has_control(str_from(saved->event)))
		return err_set(err, ERR_INVALID, "bad_request", "event: want one word");
	const struct saved headers = { .headers = saved->headers };
	if (header(&headers, saved->event_header, &there))
		return err_set(err, ERR_INVALID, "bad_request",
			       "event: the header %s says it already", saved->event_header);
	return 0;
}

/* ---- the call ---- */

static void on_trail(const json_t *trail, const struct err *err, void *data)
{
	struct call *c = data;

	if (c->req && err)
		call_fail(c, err);
	else if (c->req)
		call_respond(c, 200, json_incref((json_t *)trail));
	call_unref(c);
}

static int simulate(struct call *c, const json_t *request, struct err *err)
{
	const struct config *config = c->app->config;
	const char *webhook = NULL, *body = NULL;
	json_t *headers = NULL;
	struct saved saved = { 0 };

	if (json_opt_string(request, "", "webhook", &webhook, err) < 0 ||
	    json_opt_object(request, "", "headers", &headers, err) < 0 ||
	    json_opt_string(request, "", "event", &saved.event, err) < 0 ||
	    json_need_string(request, "", "body", &body, err) < 0 ||
	    check_headers(headers, config, err) < 0)
		return -1;
	const struct webhook *w = choose_webhook(c->app, webhook, err);
	if (!w)
		return -1;
	saved.headers = headers;
	saved.event_header = w->provider->event_header;
	if (check_event(&saved, w, err) < 0)
		return -1;
	if (strlen(body) > (size_t)config->limits.webhook_body_bytes)
		return err_set(err, ERR_LIMIT, "too_large",
			       "body: larger than limits.webhook_body_bytes (%lld)",
			       (long long)config->limits.webhook_body_bytes);
	struct webhook_request r = { .header = header,
				     .header_count = header_count,
				     .http = &saved,
				     .body = str_from(body) };
	webhook_simulate(c->app->queue, w, &r, on_trail, call_ref(c));
	return 0;
}

static void on_body(struct http_req *req, struct str body, void *app)
{
	struct call *c = http_data(req);
	cleanup_json json_t *request = call_body_object(c, body);
	struct err err = { 0 };

	(void)app;
	if (request && simulate(c, request, &err) < 0)
		call_fail(c, &err);
}

void api_deliveries_simulate(struct call *c)
{
	/* Quoted, a payload grows: a quotation mark is two bytes. */
	size_t limit = 2 * (size_t)c->app->config->limits.webhook_body_bytes +
		       (size_t)c->app->config->limits.api_body_bytes;

	http_body_collect(c->req, limit, on_body);
}

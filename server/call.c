#include "server/call.h"

#include "common/json.h"
#include "common/scope.h"
#include "config/config.h"

static void request_ended(void *data)
{
	struct call *c = data;

	c->app->requests--;
	c->req = NULL;
	call_unref(c);
}

struct call *call_create(struct app *app, struct http_req *req)
{
	struct call *c = xnew(struct call);

	*c = (struct call){ .app = app, .req = req, .refs = 1 };
	app->requests++;
	http_set_data(req, c, request_ended);
	return c;
}

struct call *call_ref(struct call *c)
{
	c->refs++;
	return c;
}

void call_unref(struct call *c)
{
	if (--c->refs > 0)
		return;
	if (c->release)
		c->release(c->data);
	free(c->prefix);
	free(c->registry);
	free(c->name);
	free(c);
}

json_t *call_body_object(struct call *c, struct str body)
{
	json_t *value = NULL;
	struct err err = { 0 };

	if (json_read(&value, body, NULL, &err) < 0) {
		http_respond_err(c->req, &err);
		return NULL;
	}
	if (!json_is_object(value)) {
		json_decref(value);
		http_respond_error(c->req, 400, "bad_request", NULL,
				   "the body must be a JSON object");
		return NULL;
	}
	return value;
}

char *call_origin(const struct call *c)
{
	const char *base_url = c->app->config->base_url;

	return base_url && !http_peer(c->req)->is_unix ? xstrdup(base_url) : http_origin(c->req);
}

void call_respond(struct call *c, int status, json_t *value)
{
	cleanup_free char *text = json_text(value);

	json_decref(value);
	http_respond_json(c->req, status, text);
}

void call_respond_list(struct call *c, json_t *list)
{
	call_respond(c, 200, json_pack("{s:o}", "value", list));
}

/* The request is well-formed; what it asks for is not allowed here (cases/hostile.tsv, git-url). */
static const char *const policy_words[] = {
	"url_invalid",         "scheme_denied", "address_denied",  "port_denied",
	"url_too_long",        "ref_invalid",   "ref_too_long",    "path_denied",
	"url_has_credentials", "context_kind",  "context_invalid", "ref_denied"
};

void call_fail(struct call *c, const struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(policy_words); i++) {
		if (err_is(err, policy_words[i])) {
			http_respond_error(c->req, 422, err->word, NULL, "%s", err->msg);
			return;
		}
	}
	http_respond_err(c->req, err);
}

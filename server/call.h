/*
 * call: one API request from its route to its answer. It outlives the request while something
 * asynchronous is under way: take a reference for each callback, and look at `req` in it, which is
 * NULL when the client has gone.
 */
#pragma once
#include <jansson.h>

#include "server/app.h"
#include "server/http/http.h"

struct registry_config;

struct call {
	struct app *app;
	struct http_req *req; /* NULL: nobody waits for an answer any more */
	char *prefix;         /* "/v1/registries/main": handlers do not know it otherwise */
	char *registry;       /* its configured name; NULL outside a registry */
	char *name; /* the run id, task name, … of the path, decoded; NULL when it has none */
	void *data; /* the handler's own */
	void (*release)(void *data);
	int refs;
};

/* Bound to the request: http_data(req) is the call until the request ends. */
struct call *call_create(struct app *app, struct http_req *req);
struct call *call_ref(struct call *c);
void call_unref(struct call *c);

/* The body as a JSON object (a new reference), or an error has been answered and NULL comes. */
json_t *call_body_object(struct call *c, struct str body);
/* What links that we hand out begin with: base_url, or what the client itself asked for. The
 * caller's. */
char *call_origin(const struct call *c);
/* Answer with this value, which is taken. */
void call_respond(struct call *c, int status, json_t *value);
/* 200 {"value": list}; the list is taken. */
void call_respond_list(struct call *c, json_t *list);
/* Answer an error; words about where a context may come from are 422, the rest as
 * http_respond_err(). */
void call_fail(struct call *c, const struct err *err);

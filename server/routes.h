/* routes: the whole HTTP surface in one table. */
#pragma once
#include "server/api.h"
#include "server/auth.h"

struct route {
	const char *method;
	/* "{registry}" is looked up in the configuration; "{name}" goes to call->name. Fixed words
	 * are compared without case, as ARM does. */
	const char *path;
	void (*handler)(struct call *c);
	enum right right;
};

/* Ends with a row without a method; the OpenAPI test reads it. */
extern const struct route routes[];

/* http_server_create()'s route function; `app` is a struct app. */
void routes_dispatch(struct http_req *req, void *app);

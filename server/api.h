/*
 * api: the handlers of the routes, one file a resource. A handler gets the call and answers now or
 * later; it never knows the prefix that its resource is served under.
 */
#pragma once
#include "server/call.h"

struct err;
struct run;
struct webhook;

void api_registries_list(struct call *c);

/* A queue_run_cb whose data is the call (a reference): answers the run, or the error. */
void api_answer_run(const struct run *run, const struct err *err, void *data);

void api_runs_list(struct call *c);
void api_runs_get(struct call *c);
void api_runs_patch(struct call *c);
void api_runs_cancel(struct call *c);
void api_runs_cancel_many(struct call *c);
void api_runs_log(struct call *c);
void api_schedule_run(struct call *c);

void api_uploads_url(struct call *c);
void api_uploads_put(struct call *c);

void api_tasks_list(struct call *c);
void api_tasks_get(struct call *c);
void api_tasks_put(struct call *c);
void api_tasks_delete(struct call *c);
void api_tasks_list_details(struct call *c);

void api_deliveries_list(struct call *c);
void api_deliveries_get(struct call *c);
void api_deliveries_replay(struct call *c);
void api_deliveries_simulate(struct call *c);

void api_healthz(struct call *c);
void api_readyz(struct call *c);
void api_health(struct call *c);
void api_metrics(struct call *c);
void api_openapi(struct call *c);
void webhook_route(struct call *c);
/* The configured webhook of that name, or NULL. Borrowed until the next turn. */
const struct webhook *api_webhook(const struct app *app, const char *name);

/* slipway delivery simulate */
#include "cli/client.h"
#include "cli/delivery.h"
#include "cli/payload_file.h"
#include "cli/verbs.h"
#include "common/json.h"
#include "common/scope.h"

struct options {
	const char *webhook, *event;
	struct strvec headers;
};

static json_t *make_request(const struct payload_file *f, const struct options *o)
{
	json_t *request = json_object();

	json_put_string(request, "webhook", o->webhook ? o->webhook : f->webhook);
	json_put_string(request, "event", o->event);
	json_object_set(request, "headers", f->headers);
	json_put_string(request, "body", f->body);
	return request;
}

static int send_file(struct cli *cli, const char *path, const struct options *o, json_t **trail,
		     struct err *err)
{
	struct payload_file file = { 0 };
	cleanup_json json_t *request = NULL;

	if (payload_file_read(&file, path, err) < 0)
		return -1;
	int rc = 0;
	STRVEC_FOREACH (line, &o->headers)
		rc = rc < 0 ? rc : payload_file_header(&file, *line, err);
	if (rc == 0) {
		request = make_request(&file, o);
		rc = client_json(cli_client(cli), "POST", "/v1/deliveries/simulate", request, trail,
				 err);
	}
	payload_file_release(&file);
	return rc;
}

/* Could the payload be read at all? What it was refused for otherwise is a result. */
static bool was_read(const json_t *trail)
{
	return json_object_get(trail, "event") != NULL;
}

int verb_delivery_simulate(struct cli *cli, int argc, char **argv)
{
	cleanup_strvec struct strvec operands = { 0 };
	cleanup_json json_t *trail = NULL;
	struct options o = { 0 };
	struct err err = { 0 };
	int exit;
	const struct option_def own[] = {
		{ 0, "webhook", OPTION_TEXT, &o.webhook, "NAME", "the webhook it is meant for" },
		{ 0, "event", OPTION_TEXT, &o.event, "NAME",
		  "what the provider's event header says, as push" },
		{ 0, "header", OPTION_LIST, &o.headers, "'NAME: VALUE'",
		  "another header, or another value for one" },
		{ 0 },
	};

	if (cli_parse(cli, own, argc, argv, &operands, 1, 1, &exit)) {
		exit = EXIT_OK;
		if (send_file(cli, operands.items[0], &o, &trail, &err) < 0)
			exit = cli_fail(&err);
		if (exit == EXIT_OK)
			exit = delivery_print(cli, trail);
		if (exit == EXIT_OK && !was_read(trail))
			exit = EXIT_USAGE;
	}
	strvec_release(&o.headers);
	return exit;
}

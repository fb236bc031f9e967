/*
 * payload_file: a webhook's request as it was saved: the body alone (JSON, or a form that begins
 * with "payload="), or the whole request: maybe a request line, headers, an empty line, the body.
 */
#pragma once
#include <jansson.h>

#include "common/err.h"

struct payload_file {
	json_t *headers; /* {name: value} */
	char *webhook;   /* of a request line's path /webhooks/NAME, or NULL */
	char *body;
};

/* `path` "-" is standard input. Words "payload_file", "payload_too_large". */
int payload_file_read(struct payload_file *out, const char *path, struct err *err);
/* "Name: value" into the headers; one that is there is replaced. Word "usage". */
int payload_file_header(struct payload_file *f, const char *line, struct err *err);
void payload_file_release(struct payload_file *f);

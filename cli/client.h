/*
 * client: the command line's HTTP client, over the Unix socket of the local service or over TCP.
 * Blocking. Errors carry the service's own code and message; a service that cannot be reached is
 * ERR_UNAVAILABLE "unreachable".
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/str.h"

struct client;

/*
 * `server` is a URL or NULL ($SLIPWAY_SERVER, then the Unix socket); `token_file` may be NULL
 * ($SLIPWAY_TOKEN is the token itself). Never fails: a wrong setting is told by the first request.
 */
struct client *client_create(const char *server, const char *token_file, bool verbose);
void client_destroy(struct client *c);

/* One request; `body` may be NULL. *out (may be NULL) is a new reference, NULL for an empty answer.
 */
int client_json(struct client *c, const char *method, const char *path, const json_t *body,
		json_t **out, struct err *err);
/* HTTP status of the last answer: 200, 202, 204 … */
int client_status(const struct client *c);

/*
 * GET a stream from byte `offset` on; `write` gets the bytes as they come and returns false to
 * stop; about once a second it is called without bytes. *offset is moved on by what was written, so
 * that a broken stream can be resumed.
 */
int client_stream(struct client *c, const char *path, uint64_t *offset,
		  bool (*write)(struct str bytes, void *data), void *data, struct err *err);

/* PUT what `read` gives: 0 at the end, -1 to break off with *err set by it. */
int client_upload(struct client *c, const char *path,
		  ssize_t (*read)(char *into, size_t room, void *data), void *data,
		  struct err *err);

/*
 * The path and query of a URL that the service gave: whatever host it names, the one that we talk
 * to already is asked. Behind a proxy that serves us below a path, that path goes too. Borrowed
 * from `url`.
 */
const char *client_path_of(const struct client *c, const char *url);

/*
 * transfer: HTTP of the runner, over libcurl: git, source archives, the registry's API.
 *
 *   struct transfers *t = transfers_create(&opts);            connections are reused within it
 *   if (transfer_open(&response, t, &request, err) < 0) …     returns when the head has come
 *   while (transfer_read(response, piece, sizeof piece, &n, err) == 0 && n > 0) …
 *   transfer_close(response); transfers_destroy(t);
 *
 * Blocking, but every wait ends with the run: cancel, deadline, the session's own time, and a
 * stall (less than 1 KiB/s over stall_ms) are all watched. Redirects are never followed, so that
 * credentials stay where they belong; certificates are always verified; the proxy variables of the
 * environment are ignored, because the address check would see the proxy only. The address check
 * looks at the very address that is connected to, after its name was resolved.
 *
 * Words, for the caller to translate: "net_unreachable", "net_stalled", "net_timeout",
 * "net_too_large", "net_protocol"; and as they are: "tls", "address_denied", "redirect_denied",
 * "canceled", "timeout".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"
#include "common/str.h"
#include "common/strvec.h"

struct cidr;
struct exec;
struct transfers;
struct transfer;

struct transfers_opts {
	const struct exec *x;
	int64_t limit_ms;         /* for the whole session; 0: only the run's deadline */
	int64_t stall_ms;         /* 0: 30 seconds */
	int64_t limit_bytes;      /* received in the whole session; 0: no limit */
	bool any_address;         /* the operator named the server: no address check */
	const struct cidr *allow; /* private ranges that may be reached all the same; borrowed */
	size_t allow_len;
	bool ignore_stop; /* for what must be asked although the run was canceled (limit_ms ends it)
			   */
};

struct transfer_request {
	const char *method;    /* "GET", "HEAD", "POST" */
	const char *url;       /* http or https */
	struct strvec headers; /* "Name: value"; borrowed */
	struct str body;       /* of a POST; borrowed until the head has come */
	const char *username;  /* Basic credentials for this request, or NULL */
	const struct secret *password;
};

struct transfers *transfers_create(const struct transfers_opts *opts);
void transfers_destroy(struct transfers *t);
/* 0 while no reason to stop has come up: for callbacks that work on what was received. */
int transfers_may_go_on(struct transfers *t, struct err *err);
/* Something useful came that is not many bytes: the stall clock starts anew. */
void transfers_touch(struct transfers *t);

/* At most one open transfer per session. A status of 3xx is "redirect_denied"; others are the
 * caller's to judge. */
int transfer_open(struct transfer **out, struct transfers *t,
		  const struct transfer_request *request, struct err *err);
int transfer_status(const struct transfer *r);
/* The value of a response header (the last one of that name, without case), or NULL. Borrowed. */
const char *transfer_header(const struct transfer *r, const char *name);
/* Up to `size` bytes of the body; *n is 0 at its end. */
int transfer_read(struct transfer *r, void *bytes, size_t size, size_t *n, struct err *err);
/* The rest of the body into `out`, up to its limit ("net_too_large"). */
int transfer_read_all(struct transfer *r, struct buf *out, struct err *err);
void transfer_close(struct transfer *r);

/*
 * git_server: the smart HTTP server of one repository (gitprotocol-http(5)), over transfer.h: its
 * addresses, redirects, deadlines and sizes are ours to decide, the same for everything we fetch.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"
#include "runner/exec/git_pkt.h"

struct exec;
struct git_credential;
struct transfer;
struct transfers;

struct git_server {
	const struct exec *x;
	const char *url;                         /* borrowed; http or https */
	const struct git_credential *credential; /* borrowed; shown to this URL only */
	struct transfers *transfers;
};

/* An answer under way. */
struct git_answer {
	struct git_server *server;
	struct transfer *response;
	struct git_pkt_reader *lines;
};

void git_server_open(struct git_server *out, const struct exec *x, const char *url,
		     const struct git_credential *credential);
void git_server_close(struct git_server *s);

/*
 * GET info/refs, the advertisement, in protocol version 2 where the server knows it; and POST
 * git-upload-pack, a request of either protocol.
 *
 * Words: "git_auth" (credentials are wanted, or those shown are refused; a page for people in place
 * of git), "git_not_found", "git_network" (ERR_UNAVAILABLE: another attempt may help),
 * "git_timeout", "git_too_large", "git_protocol", "tls", "address_denied", "redirect_denied",
 * "canceled", "timeout".
 */
int git_server_get(struct git_answer *out, struct git_server *s, struct err *err);
int git_server_post(struct git_answer *out, struct git_server *s, struct str body, bool v2,
		    struct err *err);
/* Read what may be left of it (the end of the HTTP body), so that the connection can be used again.
 */
void git_answer_drain(struct git_answer *a);
void git_answer_close(struct git_answer *a);

/*
 * tls: OpenSSL between two memory buffers, so that the loop keeps the socket. TLS 1.2 and 1.3 with
 * AEAD ciphers only, no renegotiation, no compression, no tickets.
 *
 *   tls_input(t, bytes from the socket);
 *   while (tls_next(t, …) == TLS_DATA) … ;
 *   tls_seal(t, plain, &out) or, for what the protocol itself has to say, tls_output(t, &out);
 *   tls_finish(t) says goodbye; its bytes come by tls_output().
 */
#pragma once
#include "common/buf.h"
#include "common/err.h"

struct tls_context; /* one listener's certificate and settings; counted by its sessions */
struct tls;

/*
 * Both files are PEM. Word config_tls: not readable, not a pair, expired or not yet valid, or a key
 * that everybody on the machine may read.
 */
int tls_context_create(struct tls_context **out, const char *certificate, const char *key,
		       struct err *err);
void tls_context_destroy(struct tls_context *ctx);

struct tls *tls_create(struct tls_context *ctx);
void tls_destroy(struct tls *t);

enum tls_result { TLS_MORE, TLS_DATA, TLS_END, TLS_FAILED };

void tls_input(struct tls *t, struct str bytes);
/* The next piece of plain bytes, at most `cap`. */
enum tls_result tls_next(struct tls *t, char *out, size_t cap, size_t *len);
/* Would tls_next() have something without more input? */
bool tls_waiting(const struct tls *t);
int tls_seal(struct tls *t, struct str plain, struct buf *out);
void tls_output(struct tls *t, struct buf *out);
void tls_finish(struct tls *t);

/*
 * wire: the bytes of one connection in both directions, over TCP or a Unix socket, with or without
 * TLS; conn.c cannot tell which.
 *
 *   struct wire w = {.events = …, .buffers = …};
 *   wire_open(&w, loop, fd, is_unix, tls_context or NULL);
 *   wire_read(&w, true);                     bytes() is called until wire_read(&w, false)
 *   wire_write(&w, parts, n); wire_flush(&w);
 *   wire_finish(&w); …all sent…; wire_shutdown(&w);
 *   wire_close(&w);                          closed() is the last call
 *
 * What is written goes to the kernel at once if it takes it; the rest is copied and waits
 * (wire_pending()). Errors are never reported from inside a call but by `failed` being set and
 * wake() being called, upon which the owner looks at it from the loop.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/buf.h"

struct wire;
struct tls;
struct tls_context;

struct wire_events {
	void (*bytes)(struct wire *w, struct str bytes); /* borrowed for the call */
	void (*eof)(struct wire *w);                     /* the client will send no more */
	void (*progress)(struct wire *w);                /* something that waited was sent */
	void (*wake)(struct wire *w);   /* call wire_continue() soon, not from here */
	void (*closed)(struct wire *w); /* its memory may go */
};

/* One for all wires of a loop: input is used up or copied before the next read. */
struct wire_buffers {
	char *input, *plain;
};
enum { WIRE_INPUT_BYTES = 64 << 10, WIRE_PLAIN_BYTES = 16 << 10 };

struct wire {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	uv_write_t request;
	const struct wire_events *events;
	const struct wire_buffers *buffers;
	struct tls *tls;
	struct buf sending, waiting; /* in the hands of libuv; behind that */
	uint64_t sent;               /* whole writes, in bytes since the beginning */
	bool reading, writing, corked, failed, finished, eof, pump;
};

/* -1: the loop cannot take the descriptor; the caller still owns it. */
int wire_open(struct wire *w, uv_loop_t *loop, int fd, bool is_unix, struct tls_context *tls);
void wire_read(struct wire *w, bool on);
/* Does what a call left over: decrypted bytes that nobody wanted yet. */
void wire_continue(struct wire *w);

/* Copies what the kernel does not take. While `corked`, everything waits for wire_flush(). */
void wire_write(struct wire *w, const struct str *parts, size_t count);
void wire_flush(struct wire *w);
size_t wire_pending(const struct wire *w); /* bytes not yet with the kernel */
uint64_t wire_sent(const struct wire *w);  /* grows whenever the client takes something */

void wire_finish(struct wire *w);   /* nothing more will be written */
void wire_shutdown(struct wire *w); /* the client sees the end; it may still send */
void wire_close(struct wire *w);

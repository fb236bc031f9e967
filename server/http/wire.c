#include "server/http/wire.h"

#include <assert.h>
#include <sys/socket.h>

#include "server/http/tls.h"

enum { PARTS_MAX = 4 };

static void fail(struct wire *w)
{
	w->failed = true;
	w->events->wake(w);
}

int wire_open(struct wire *w, uv_loop_t *loop, int fd, bool is_unix, struct tls_context *tls)
{
	int rc;

	if (is_unix) {
		uv_pipe_init(loop, &w->uv.pipe, 0);
		rc = uv_pipe_open(&w->uv.pipe, fd);
	} else {
		uv_tcp_init(loop, &w->uv.tcp);
		rc = uv_tcp_open(&w->uv.tcp, fd);
	}
	w->uv.handle.data = w;
	w->tls = tls && rc == 0 ? tls_create(tls) : NULL;
	return rc;
}

/* ---- in ---- */

static void end_of_input(struct wire *w)
{
	if (w->eof)
		return;
	w->eof = true;
	w->events->eof(w);
}

/* Hand out what can be decrypted, as long as it is wanted. */
static void pump(struct wire *w)
{
	enum tls_result result = TLS_DATA;
	size_t len;

	while (w->reading && !w->failed && result == TLS_DATA) {
		result = tls_next(w->tls, w->buffers->plain, WIRE_PLAIN_BYTES, &len);
		if (result == TLS_DATA)
			w->events->bytes(w, (struct str){ w->buffers->plain, len });
	}
	if (uv_is_closing(&w->uv.handle))
		return;
	tls_output(w->tls, &w->waiting); /* handshake, alerts */
	wire_flush(w);
	if (result == TLS_END)
		end_of_input(w);
	else if (result == TLS_FAILED)
		fail(w);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct wire *w = handle->data;
	(void)suggested;
	*buf = uv_buf_init(w->buffers->input, WIRE_INPUT_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct wire *w = stream->data;

	if (n > 0 && w->tls) {
		tls_input(w->tls, (struct str){ buf->base, (size_t)n });
		pump(w);
	} else if (n > 0) {
		w->events->bytes(w, (struct str){ buf->base, (size_t)n });
	} else if (n == UV_EOF) {
		end_of_input(w);
	} else if (n < 0) {
		fail(w);
	}
}

void wire_read(struct wire *w, bool on)
{
	if (on == w->reading || w->failed)
		return;
	w->reading = on;
	if (!on) {
		uv_read_stop(&w->uv.stream);
		return;
	}
	if (!w->eof && uv_read_start(&w->uv.stream, on_alloc, on_read) < 0)
		fail(w);
	if (w->tls && tls_waiting(w->tls)) {
		w->pump = true;
		w->events->wake(w);
	}
}

void wire_continue(struct wire *w)
{
	if (!w->pump)
		return;
	w->pump = false;
	pump(w);
}

/* ---- out ---- */

static void on_written(uv_write_t *request, int status)
{
	struct wire *w = request->handle->data;

	w->writing = false;
	w->sent += w->sending.len;
	buf_release(&w->sending);
	if (uv_is_closing(&w->uv.handle))
		return;
	if (status < 0) {
		fail(w);
		return;
	}
	wire_flush(w);
	w->events->progress(w);
}

static void send_waiting(struct wire *w)
{
	w->sending = w->waiting;
	w->waiting = (struct buf)BUF_INIT;
	uv_buf_t buf = uv_buf_init(w->sending.ptr, (unsigned)w->sending.len);
	w->writing = true;
	if (uv_write(&w->request, &w->uv.stream, &buf, 1, on_written) == 0)
		return;
	w->writing = false;
	buf_release(&w->sending);
	fail(w);
}

/* Give the kernel what it takes now. The number of bytes; 0 also when the wire has failed. */
static size_t try_now(struct wire *w, const struct str *parts, size_t count)
{
	uv_buf_t bufs[PARTS_MAX];

	for (size_t i = 0; i < count; i++)
		bufs[i] = uv_buf_init((char *)(uintptr_t)parts[i].ptr, (unsigned)parts[i].len);
	int n = uv_try_write(&w->uv.stream, bufs, (unsigned)count);
	if (n < 0 && n != UV_EAGAIN)
		fail(w);
	w->sent += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

void wire_flush(struct wire *w)
{
	if (w->writing || w->failed || w->waiting.len == 0)
		return;
	struct str all = buf_str(&w->waiting);
	size_t sent = try_now(w, &all, 1);
	if (w->failed)
		return;
	if (sent == w->waiting.len) {
		buf_release(&w->waiting);
		return;
	}
	buf_drop_front(&w->waiting, sent);
	send_waiting(w);
}

/* Keep the bytes behind the first `skip`. */
static void keep(struct wire *w, const struct str *parts, size_t count, size_t skip)
{
	for (size_t i = 0; i < count; i++) {
		size_t cut = skip < parts[i].len ? skip : parts[i].len;
		buf_addstr(&w->waiting, str_after(parts[i], cut));
		skip -= cut;
	}
}

static void write_sealed(struct wire *w, const struct str *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (tls_seal(w->tls, parts[i], &w->waiting) < 0) {
			fail(w);
			return;
		}
	}
	if (!w->corked)
		wire_flush(w);
}

void wire_write(struct wire *w, const struct str *parts, size_t count)
{
	size_t sent = 0;

	assert(count <= PARTS_MAX);
	if (w->failed || w->finished)
		return;
	if (w->tls) {
		write_sealed(w, parts, count);
		return;
	}
	if (!w->corked && !w->writing && w->waiting.len == 0)
		sent = try_now(w, parts, count);
	if (w->failed)
		return;
	keep(w, parts, count, sent);
	if (!w->corked)
		wire_flush(w);
}

size_t wire_pending(const struct wire *w)
{
	return (w->writing ? w->uv.stream.write_queue_size : 0) + w->waiting.len;
}

uint64_t wire_sent(const struct wire *w)
{
	return w->sent + (w->writing ? w->sending.len - w->uv.stream.write_queue_size : 0);
}

/* ---- the end ---- */

void wire_finish(struct wire *w)
{
	if (w->finished || w->failed)
		return;
	w->finished = true;
	if (w->tls) {
		tls_finish(w->tls);
		tls_output(w->tls, &w->waiting);
	}
	wire_flush(w);
}

void wire_shutdown(struct wire *w)
{
	uv_os_fd_t fd;
	if (uv_fileno(&w->uv.handle, &fd) == 0)
		shutdown(fd, SHUT_WR);
}

static void on_closed(uv_handle_t *handle)
{
	struct wire *w = handle->data;

	tls_destroy(w->tls);
	buf_release(&w->sending);
	buf_release(&w->waiting);
	w->events->closed(w);
}

void wire_close(struct wire *w)
{
	w->reading = false;
	uv_close(&w->uv.handle, on_closed);
}

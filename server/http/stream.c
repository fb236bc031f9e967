/* stream: answers that are written piece by piece, at the pace of the client. */
#include "server/http/conn.h"

static void begin(struct http_req *r, int status, const char *content_type, bool counted,
		  uint64_t length, void (*drained)(struct http_req *req, void *app))
{
	struct conn *c = r->conn;

	if (c->state != CONN_REQUEST || r->over || r->answer != ANSWER_NONE)
		return;
	respond_head(r, status, content_type, counted, length);
	r->answer = ANSWER_STREAM;
	r->counted_answer = counted;
	r->chunked_answer = !counted && !r->head.http10;
	r->answer_left = length;
	r->drained = drained;
	struct str head = buf_str(&c->server->scratch);
	conn_write(c, &head, 1);
}

void http_stream_begin(struct http_req *req, int status, const char *content_type,
		       void (*drained)(struct http_req *req, void *app))
{
	begin(req, status, content_type, false, 0, drained);
}

void http_stream_begin_length(struct http_req *req, int status, const char *content_type,
			      uint64_t length, void (*drained)(struct http_req *req, void *app))
{
	begin(req, status, content_type, true, length, drained);
}

static void write_chunk(struct conn *c, struct str bytes)
{
	char line[24];
	int n = snprintf(line, sizeof line, "%zx\r\n", bytes.len);
	struct str parts[] = { { line, (size_t)n }, bytes, STR("\r\n") };
	conn_write(c, parts, ARRAY_LEN(parts));
}

static void write_piece(struct http_req *r, struct str bytes)
{
	if (r->counted_answer) {
		bytes = str_slice(bytes, 0,
				  r->answer_left < bytes.len ? (size_t)r->answer_left : bytes.len);
		r->answer_left -= bytes.len;
	}
	r->conn->burst += bytes.len;
	if (r->empty_answer || bytes.len == 0) /* an empty chunk would be the end */
		return;
	if (r->chunked_answer)
		write_chunk(r->conn, bytes);
	else
		conn_write(r->conn, &bytes, 1);
}

bool http_stream_write(struct http_req *req, struct str bytes)
{
	struct conn *c = req->conn;

	if (c->state != CONN_REQUEST || req->over || req->answer != ANSWER_STREAM)
		return false;
	write_piece(req, bytes);
	if (c->wire.failed)
		return false;
	/* Anything that waits here waits behind a socket buffer that is full: more is of no use. */
	if (wire_pending(&c->wire) == 0 && c->burst < STREAM_BURST_BYTES)
		return true;
	req->wants_drained = true;
	conn_schedule(c);
	return false;
}

void http_stream_end(struct http_req *req)
{
	struct conn *c = req->conn;
	struct str last = STR("0\r\n\r\n");

	if (c->state != CONN_REQUEST || req->over || req->answer != ANSWER_STREAM)
		return;
	if (req->chunked_answer && !req->empty_answer)
		conn_write(c, &last, 1);
	req->answer = ANSWER_DONE;
	/* Too little was written: only the end of the connection can tell the client. */
	if (req->counted_answer && req->answer_left > 0 && !req->empty_answer)
		req->keep = false;
	conn_schedule(c);
}

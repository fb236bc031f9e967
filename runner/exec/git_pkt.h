/*
 * git_pkt: the packet lines of git's protocols (gitprotocol-common(5)): four hexadecimal digits
 * that say how long the line is, themselves included; "0000" and "0001" divide, "0002" ends.
 *
 *   struct git_pkt_reader *lines = git_pkt_open(read, data);
 *   struct git_pkt line;
 *   while (git_pkt_read(&line, lines, err) == 0 && line.kind == GIT_PKT_LINE) … line.text
 *   git_pkt_close(lines);
 */
#pragma once
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

enum {
	GIT_PKT_BYTES = 65520,    /* of the longest line, its digits included */
	GIT_PKT_REF_BYTES = 4096, /* of a line that names a ref: id, name of 1 KiB, capabilities */
};

enum git_pkt_kind {
	GIT_PKT_LINE,
	GIT_PKT_FLUSH,
	GIT_PKT_DELIM,
	GIT_PKT_END, /* of the input, or "0002" */
};

struct git_pkt {
	enum git_pkt_kind kind;
	struct str bytes; /* without the digits; borrowed until the next read */
	struct str text;  /* the same without a newline at its end */
};

/* Up to `size` bytes; *n is 0 at the end. */
typedef int git_pkt_source(void *data, void *bytes, size_t size, size_t *n, struct err *err);

struct git_pkt_reader;

struct git_pkt_reader *git_pkt_open(git_pkt_source *source, void *data);
void git_pkt_close(struct git_pkt_reader *r); /* accepts NULL */
/* From now on a longer line is "git_too_large". */
void git_pkt_limit(struct git_pkt_reader *r, size_t bytes);
/* Words: "git_protocol", "git_network" (the input ends inside a line), "git_too_large", and the
 * source's own. */
int git_pkt_read(struct git_pkt *out, struct git_pkt_reader *r, struct err *err);

/* Writing: one line of at most GIT_PKT_BYTES, with a newline. */
void git_pkt_addf(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void git_pkt_add_flush(struct buf *out);
void git_pkt_add_delim(struct buf *out);

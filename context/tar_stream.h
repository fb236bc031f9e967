/*
 * tar_stream: the bytes of a tar out of a file that may be compressed (gzip, zstd), with ceilings
 * on what they expand to, and past the guards. Everything is looked at, also behind the tar's end.
 */
#pragma once
#include "common/err.h"
#include "common/str.h"

struct tar_stream;
struct unpack_opts;

/* `fd` is read from where it stands, and borrowed, as `opts` are. Words: those of unpack.h. */
int tar_stream_open(struct tar_stream **out, int fd, const struct unpack_opts *opts,
		    struct err *err);
/* The next bytes, borrowed until the next call; none at the end. */
int tar_stream_next(struct tar_stream *s, struct str *bytes, struct err *err);
void tar_stream_close(struct tar_stream *s);

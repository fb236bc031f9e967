/*
 * tar_maker: tar archives byte by byte, also such as no honest program writes.
 *
 *   struct buf tar = BUF_INIT;
 *   tar_file(&tar, "a/b", "text");
 *   tar_end(&tar);
 *   tar_compress(&packed, buf_str(&tar), "gzip");
 */
#pragma once
#include "common/buf.h"

/* One header block as it is told, with a right checksum. `type` is tar's letter. */
void tar_header(struct buf *tar, char type, struct str name, size_t size, unsigned mode,
		const char *link);
/* `size` bytes and the padding behind them. */
void tar_data(struct buf *tar, struct str data);

void tar_file(struct buf *tar, const char *name, const char *text);
void tar_folder(struct buf *tar, const char *name);
void tar_symlink(struct buf *tar, const char *name, const char *target);
void tar_hard_link(struct buf *tar, const char *name, const char *target);
/* An extended header (type 'x', or 'g') for the entry that comes next. */
void tar_pax(struct buf *tar, char type, const char *key, struct str value);
/* GNU's long name ('L') or long link ('K') for the entry that comes next. */
void tar_gnu_long(struct buf *tar, char type, struct str text);
void tar_end(struct buf *tar); /* two empty blocks */

/* By libarchive's "gzip" or "zstd". */
void tar_compress(struct buf *out, struct str tar, const char *filter);

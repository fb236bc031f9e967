/*
 * runlog: the append-only log of a run: masked for the run's secrets across write boundaries
 * (mask.h), lines split at the line limit, the whole bounded: past the limit only a notice is
 * written and the rest is dropped, and runlog_is_full() says so. Lines of our own still get
 * through then, so that the log ends with the reason.
 *
 * Bytes of programs are data: control sequences stay in the log and are a viewer's to neutralise.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/str.h"

struct runlog;

/* The limits are those of this attempt; the file may hold the log of earlier ones. 0: no limit. */
int runlog_open(struct runlog **out, const char *path, int64_t limit_bytes, int64_t line_bytes,
		struct err *err);
/* From now on this value is shown as "***". Values under 4 bytes are not masked. */
void runlog_mask(struct runlog *log, const struct secret *secret);
/* Output of a program, as it comes. */
void runlog_write(struct runlog *log, struct str bytes);
/* A line of ours: "2024/01/31 12:00:00 text". */
void runlog_say(struct runlog *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Everything held back for masking goes out. At the end of each program and before the result. */
void runlog_flush(struct runlog *log);
bool runlog_is_full(const struct runlog *log);
/* 0, or the errno with which the disk refused the log: bytes are missing from there on. */
int runlog_errno(const struct runlog *log);
/* Flushes and syncs to disk. Accepts NULL. */
void runlog_close(struct runlog *log);

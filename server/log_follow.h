/*
 * log_follow: everybody who reads a run's log over HTTP: a range of it, or live to its end.
 *
 * A follower is an offset. All followers of a run share one descriptor; all followers share one
 * read buffer; nothing is kept per follower but what its socket has not taken yet. Somebody who
 * knows that the file has grown or that the run has ended calls log_follow_wake().
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct http_req;
struct log_follow;

enum log_format { LOG_BYTES, LOG_EVENTS /* text/event-stream */ };

struct log_follow_opts {
	const char *run_id;
	uint64_t offset;
	uint64_t end; /* stop there; UINT64_MAX: at the end of the run */
	enum log_format format;
	bool ended; /* the run is terminal: the file does not grow any more */
};

struct log_follow *log_follow_create(const char *data_dir);
void log_follow_destroy(struct log_follow *f);

/* Size of the log now; ERR_NOTFOUND when it was collected. */
int log_follow_size(struct log_follow *f, const char *run_id, uint64_t *out, struct err *err);
/*
 * The answer's stream has begun (http_stream_begin*, with log_follow_drained as its `drained`):
 * send from `offset` on, end the stream at the end. The follower goes when the request ends: call
 * log_follow_gone() from the request's release.
 */
struct log_follower *log_follow_start(struct log_follow *f, struct http_req *req,
				      const struct log_follow_opts *opts);
void log_follow_drained(struct log_follower *who);
void log_follow_gone(struct log_follower *who);

/* Followers of runs that have not ended: they stay for as long as a build takes. */
size_t log_follow_live(const struct log_follow *f);

/* Tell those who read events and hear nothing that the line still holds. Every 15 s is enough. */
void log_follow_beat(struct log_follow *f);

/* The log has grown; with `ended` it will not grow any more. */
void log_follow_wake(struct log_follow *f, const char *run_id, bool ended);

#include "runner/exec/git_pack.h"

#include <git2/errors.h>
#include <git2/indexer.h>
#include <git2/odb.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_mirror.h"
#include "runner/exec/git_refs.h"
#include "runner/exec/git_server.h"
#include "runner/exec/runlog.h"
#include "runner/exec/transfer.h"

enum { PROGRESS_MS = 5000 };

/* ---- the request ---- */

static void add_capabilities(struct buf *line, const struct git_advert *advert, bool thin)
{
	const struct {
		const char *name;
		bool wanted;
	} capabilities[] = {
		{ "side-band-64k", advert->side_band },
		{ "thin-pack", advert->thin_pack && thin },
		{ "ofs-delta", advert->ofs_delta },
		{ "multi_ack_detailed", advert->multi_ack_detailed },
		{ "multi_ack", advert->multi_ack && !advert->multi_ack_detailed },
	};

	for (size_t i = 0; i < ARRAY_LEN(capabilities); i++) {
		if (capabilities[i].wanted)
			buf_addf(line, " %s", capabilities[i].name);
	}
	buf_addf(line, " agent=slipway/%s", SLIPWAY_VERSION);
}

static void add_ids(struct buf *out, const char *what, const struct git_oids *ids)
{
	char hex[GIT_OID_HEXSZ + 1];

	for (size_t i = 0; i < ids->len; i++)
		git_pkt_addf(out, "%s %s", what, git_oid_tostr(hex, sizeof hex, &ids->items[i]));
}

/* Version 0: the capabilities follow the first wanted id. */
static void add_wants_v0(struct buf *out, const struct git_oids *ids,
			 const struct buf *capabilities)
{
	char hex[GIT_OID_HEXSZ + 1];

	for (size_t i = 0; i < ids->len; i++)
		git_pkt_addf(out, "want %s%s", git_oid_tostr(hex, sizeof hex, &ids->items[i]),
			     i ? "" : capabilities->ptr);
}

static void add_depth(struct buf *out, const struct git_mirror *mirror,
		      const struct git_advert *advert, int depth)
{
	if (!advert->shallow)
		return;
	add_ids(out, "shallow", &mirror->shallow);
	/* All of it is what a server gives anyway, unless something of it is missing here. */
	if (depth != GIT_DEPTH_ALL || mirror->shallow.len)
		git_pkt_addf(out, "deepen %d", depth);
}

static void write_v2(struct buf *out, const struct git_mirror *mirror,
		     const struct git_advert *advert, const struct git_pack_wanted *wanted)
{
	git_pkt_addf(out, "command=fetch");
	git_pkt_addf(out, "agent=slipway/%s", SLIPWAY_VERSION);
	git_pkt_add_delim(out);
	if (mirror->haves.len)
		git_pkt_addf(out, "thin-pack");
	git_pkt_addf(out, "ofs-delta");
	if (wanted->commits_only && advert->filter)
		git_pkt_addf(out, "filter tree:0");
	add_depth(out, mirror, advert, wanted->depth);
	add_ids(out, "want", &wanted->ids);
	add_ids(out, "have", &mirror->haves);
	git_pkt_addf(out, "done");
	git_pkt_add_flush(out);
}

static void write_v0(struct buf *out, const struct git_mirror *mirror,
		     const struct git_advert *advert, const struct git_pack_wanted *wanted)
{
	struct buf capabilities = BUF_INIT;

	add_capabilities(&capabilities, advert, mirror->haves.len > 0);
	if (wanted->commits_only && advert->filter)
		buf_adds(&capabilities, " filter");
	add_wants_v0(out, &wanted->ids, &capabilities);
	add_depth(out, mirror, advert, wanted->depth);
	if (wanted->commits_only && advert->filter)
		git_pkt_addf(out, "filter tree:0");
	git_pkt_add_flush(out);
	add_ids(out, "have", &mirror->haves);
	git_pkt_addf(out, "done");
	buf_release(&capabilities);
}

/* ---- the pack ---- */

struct receiving {
	struct git_server *server;
	git_indexer *indexer;
	git_indexer_progress stats;
	int64_t bytes;
	int64_t said_ms; /* when the log heard of it last */
};

static int pack_error(struct err *err)
{
	const git_error *last = git_error_last();
	const char *text = last && last->message ? last->message : "unknown";

	if (last && last->klass == GIT_ERROR_OS)
		return err_set(err, ERR_UNAVAILABLE,
			       strstr(text, "No space left") ? "disk_full" : "storage", "%.300s",
			       text);
	return err_set(err, ERR_INVALID, "git_bad_pack",
		       "the server sent a pack that cannot be used: %.300s", text);
}

static void say_progress(struct receiving *r)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - r->said_ms < PROGRESS_MS)
		return;
	r->said_ms = now_ms;
	runlog_say(r->server->x->log, "Received %u of %u objects, %lld MB",
		   r->stats.received_objects, r->stats.total_objects,
		   (long long)r->bytes / 1000000);
}

static int on_pack(void *data, struct str bytes, struct err *err)
{
	struct receiving *r = data;

	r->bytes += (int64_t)bytes.len;
	if (git_indexer_append(r->indexer, bytes.ptr, bytes.len, &r->stats) < 0)
		return pack_error(err);
	say_progress(r);
	return transfers_may_go_on(r->server->transfers, err);
}

/* "Counting objects": the server is alive although it has nothing to send yet. */
static void on_message(void *data, struct str text)
{
	struct receiving *r = data;
	(void)text;

	transfers_touch(r->server->transfers);
}

/* Deltas are resolved at the end, which may take its time. */
static int on_indexing(const git_indexer_progress *stats, void *data)
{
	struct receiving *r = data;
	(void)stats;

	return exec_may_go_on(r->server->x, NULL);
}

static int open_indexer(struct receiving *r, git_odb **odb, const struct git_mirror *mirror,
			struct err *err)
{
	git_indexer_options options = GIT_INDEXER_OPTIONS_INIT;
	cleanup_free char *path = fs_join(mirror->path, "objects/pack");

	options.progress_cb = on_indexing;
	options.progress_cb_payload = r;
	if (git_repository_odb(odb, mirror->repo) < 0 ||
	    git_indexer_new(&r->indexer, path, 0400, *odb, &options) < 0)
		return pack_error(err);
	return 0;
}

static int finish_pack(struct receiving *r, struct err *err)
{
	if (git_indexer_commit(r->indexer, &r->stats) == 0)
		return 0;
	return exec_may_go_on(r->server->x, err) < 0 ? -1 : pack_error(err);
}

static int receive(struct git_pack_received *out, struct git_mirror *mirror,
		   struct git_server *server, struct git_answer *answer, struct err *err)
{
	struct receiving r = { .server = server, .said_ms = clock_monotonic_ms() };
	struct git_pack_sink sink = { .pack = on_pack, .message = on_message, .data = &r };
	git_odb *odb = NULL;

	int rc = open_indexer(&r, &odb, mirror, err);
	if (rc == 0)
		rc = git_pack_read(&sink, answer->lines, err);
	if (rc == 0)
		rc = finish_pack(&r, err);
	if (rc == 0)
		rc = git_mirror_note_shallow(mirror, &sink.shallow, &sink.unshallow, err);
	out->bytes += r.bytes;
	out->objects += r.stats.received_objects;
	git_indexer_free(r.indexer);
	git_odb_free(odb);
	git_oids_release(&sink.shallow);
	git_oids_release(&sink.unshallow);
	return rc;
}

int git_pack_fetch(struct git_pack_received *out, struct git_mirror *mirror,
		   struct git_server *server, const struct git_advert *advert,
		   const struct git_pack_wanted *wanted, struct err *err)
{
	cleanup_buf struct buf request = BUF_INIT;
	struct git_answer answer;

	if (!advert->side_band)
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server does not know side-band-64k: it is too old");
	(advert->v2 ? write_v2 : write_v0)(&request, mirror, advert, wanted);
	if (git_server_post(&answer, server, buf_str(&request), advert->v2, err) < 0)
		return -1;
	int rc = receive(out, mirror, server, &answer, err);
	git_answer_close(&answer);
	return rc;
}

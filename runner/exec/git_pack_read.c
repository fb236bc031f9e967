/* The answer to a fetch: sections and lines before the pack, then the pack in side-band lines. */
#include "common/mem.h"
#include "runner/exec/git_pack.h"

enum { PACK = 1, MESSAGE = 2, FAILURE = 3 };

/* ---- ids ---- */

void git_oids_add(struct git_oids *v, const git_oid *id)
{
	if (v->len == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 16;
		v->items = xreallocarray(v->items, v->cap, sizeof *v->items);
	}
	v->items[v->len++] = *id;
}

bool git_oids_have(const struct git_oids *v, const git_oid *id)
{
	for (size_t i = 0; i < v->len; i++) {
		if (git_oid_equal(&v->items[i], id))
			return true;
	}
	return false;
}

void git_oids_remove(struct git_oids *v, const git_oid *id)
{
	for (size_t i = 0; i < v->len; i++) {
		if (!git_oid_equal(&v->items[i], id))
			continue;
		v->items[i] = v->items[--v->len];
		return;
	}
}

void git_oids_release(struct git_oids *v)
{
	free(v->items);
	*v = (struct git_oids){ 0 };
}

/* ---- lines ---- */

static int answers(struct str text, struct err *err)
{
	int len = (int)(text.len > 300 ? 300 : text.len);

	/* The object is not there, or no ref leads to it; wordings differ, this part does not. */
	if (memmem(text.ptr, text.len, "not our ref", strlen("not our ref")))
		return err_set(err, ERR_NOTFOUND, "git_refused", "the server answers: %.*s", len,
			       text.ptr);
	return err_set(err, ERR_DENIED, "git_protocol", "the server answers: %.*s", len, text.ptr);
}

/* "shallow 0123…" and "unshallow 0123…": where the history that we get begins, or no longer. */
static int take_boundary(struct git_oids *to, struct str hex, struct err *err)
{
	enum { BOUNDARIES_MAX = 10000 };
	git_oid id;

	if (hex.len != GIT_OID_HEXSZ || git_oid_fromstrn(&id, hex.ptr, hex.len) < 0 ||
	    to->len == BOUNDARIES_MAX)
		return err_set(err, ERR_INVALID, "git_protocol",
			       "the server does not say properly where its history begins");
	git_oids_add(to, &id);
	return 0;
}

/* All that may come before the pack and is no side-band line. */
static int take_line(struct git_pack_sink *sink, struct str text, struct err *err)
{
	static const char *const known[] = { "NAK",          "ACK ",     "acknowledgments",
					     "shallow-info", "packfile", "ready" };

	if (str_starts(text, "ERR "))
		return answers(str_after(text, 4), err);
	if (str_starts(text, "shallow "))
		return take_boundary(&sink->shallow, str_after(text, 8), err);
	if (str_starts(text, "unshallow "))
		return take_boundary(&sink->unshallow, str_after(text, 10), err);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (str_starts(text, known[i]))
			return 0;
	}
	return err_set(err, ERR_INVALID, "git_protocol",
		       "the server answers a fetch with something unknown: %.*s",
		       (int)(text.len > 80 ? 80 : text.len), text.ptr);
}

static int take_side_band(struct git_pack_sink *sink, struct str bytes, struct err *err)
{
	struct str rest = str_after(bytes, 1);

	switch (bytes.ptr[0]) {
	case PACK: return rest.len ? sink->pack(sink->data, rest, err) : 0;
	case FAILURE: return answers(str_trim(rest), err);
	}
	if (sink->message)
		sink->message(sink->data, rest);
	return 0;
}

static bool is_side_band(struct str bytes)
{
	return bytes.len && bytes.ptr[0] >= PACK && bytes.ptr[0] <= FAILURE;
}

/* The last line before the pack: what comes next is the pack, or nothing at all. */
static bool is_last(struct str text)
{
	return str_is(text, "NAK") || str_starts(text, "ACK ") || str_is(text, "packfile");
}

int git_pack_read(struct git_pack_sink *sink, struct git_pkt_reader *lines, struct err *err)
{
	bool has_pack = false, is_due = false;
	struct git_pkt pkt;

	for (;;) {
		if (git_pkt_read(&pkt, lines, err) < 0)
			return -1;
		if (pkt.kind == GIT_PKT_END || (pkt.kind == GIT_PKT_FLUSH && (has_pack || is_due)))
			break;
		if (pkt.kind != GIT_PKT_LINE)
			continue; /* between the parts before the pack */
		if (is_side_band(pkt.bytes)) {
			has_pack = true;
			if (take_side_band(sink, pkt.bytes, err) < 0)
				return -1;
		} else if (take_line(sink, pkt.text, err) < 0) {
			return -1;
		} else {
			is_due = is_last(pkt.text);
		}
	}
	if (!has_pack && pkt.kind == GIT_PKT_FLUSH)
		return err_set(err, ERR_INVALID, "git_bad_pack", "the server sent no pack");
	if (pkt.kind != GIT_PKT_FLUSH)
		return err_set(err, ERR_UNAVAILABLE, "git_network",
			       "the server broke off before the end of its pack");
	return 0;
}

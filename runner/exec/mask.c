#include "runner/exec/mask.h"

#include "common/crypto.h"
#include "common/scope.h"

enum { LINE_MIN_BYTES = 8 }; /* of a secret with several lines: "}" is no secret */

struct mask {
	struct str *patterns; /* owned bytes; the longest first */
	size_t len, cap;
	bool starts[256];   /* does a pattern begin with this byte? */
	struct buf pending; /* not decided yet */
	size_t covered;     /* how many of the next bytes belong to a secret already found */
};

struct mask *mask_create(void)
{
	return xnew(struct mask);
}

void mask_destroy(struct mask *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->len; i++) {
		explicit_bzero((char *)m->patterns[i].ptr, m->patterns[i].len);
		free((char *)m->patterns[i].ptr);
	}
	free(m->patterns);
	if (m->pending.ptr)
		explicit_bzero(m->pending.ptr, m->pending.cap);
	buf_release(&m->pending);
	free(m);
}

/* ---- patterns ---- */

static void add_pattern(struct mask *m, struct str bytes)
{
	size_t at = 0;

	if (bytes.len < MASK_MIN_BYTES)
		return;
	for (size_t i = 0; i < m->len; i++) {
		if (str_eq(m->patterns[i], bytes))
			return;
		at += m->patterns[i].len >= bytes.len;
	}
	if (m->len == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 16;
		m->patterns = xreallocarray(m->patterns, m->cap, sizeof *m->patterns);
	}
	memmove(m->patterns + at + 1, m->patterns + at, (m->len - at) * sizeof *m->patterns);
	m->patterns[at] = (struct str){ xmemdup(bytes.ptr, bytes.len), bytes.len };
	m->len++;
	m->starts[(unsigned char)bytes.ptr[0]] = true;
}

static void wipe(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_release(b);
}

/* In the alphabet of URLs, without touching the length. */
static void to_url_alphabet(char *text)
{
	for (; *text; text++)
		*text = *text == '+' ? '-' : *text == '/' ? '_' : *text;
}

/*
 * The secret as it appears when `before` unknown bytes (modulo 3) stand in front of it: only the
 * digits that the secret alone decides.
 */
static void add_base64_at(struct mask *m, struct str secret, size_t before)
{
	struct buf plain = BUF_INIT;

	buf_add(&plain, "\0\0", before);
	buf_addstr(&plain, secret);
	char *text = base64_encode(buf_str(&plain));
	size_t from = before ? before + 1 : 0, to = plain.len * 8 / 6;
	for (int alphabet = 0; alphabet < 2; alphabet++) {
		add_pattern(m, str_slice(str_from(text), from, to));
		to_url_alphabet(text);
	}
	explicit_bzero(text, strlen(text));
	free(text);
	wipe(&plain);
}

/* The whole encoding, whose last digit the padding decides too. */
static void add_base64_alone(struct mask *m, struct str secret)
{
	char *text = base64_encode(secret);

	for (int alphabet = 0; alphabet < 2; alphabet++) {
		struct str whole = str_from(text);
		add_pattern(m, whole);
		while (str_ends(whole, "="))
			whole.len--;
		add_pattern(m, whole);
		to_url_alphabet(text);
	}
	explicit_bzero(text, strlen(text));
	free(text);
}

/* Both spellings of the hexadecimal digits, and '+' for a blank as forms have it. */
static void add_percent(struct mask *m, struct str secret)
{
	struct buf text = BUF_INIT, form = BUF_INIT;

	percent_encode(&text, secret);
	add_pattern(m, buf_str(&text));
	for (size_t i = 0; i < text.len; i++) {
		bool blank = i + 2 < text.len && memcmp(text.ptr + i, "%20", 3) == 0;
		buf_addc(&form, blank ? '+' : text.ptr[i]);
		i += blank ? 2 : 0;
	}
	add_pattern(m, buf_str(&form));
	for (size_t i = 0; i + 2 < text.len; i++) {
		if (text.ptr[i] != '%')
			continue;
		for (size_t j = i + 1; j <= i + 2; j++)
			text.ptr[j] |= text.ptr[j] >= 'A' ? 0x20 : 0;
	}
	add_pattern(m, buf_str(&text));
	wipe(&text);
	wipe(&form);
}

/* As a JSON writer escapes it; with `html`, '<', '>' and '&' too, as Go's does. */
static void add_json(struct mask *m, struct str secret, bool html)
{
	static const char *const shorts[128] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r",
		['\t'] = "\\t", ['\b'] = "\\b",  ['\f'] = "\\f",
	};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < secret.len; i++) {
		unsigned char c = (unsigned char)secret.ptr[i];
		if (c < 128 && shorts[c])
			buf_adds(&text, shorts[c]);
		else if (c < 0x20 || (html && (c == '<' || c == '>' || c == '&')))
			buf_addf(&text, "\\u%04x", c);
		else
			buf_addc(&text, (char)c);
	}
	add_pattern(m, buf_str(&text));
	wipe(&text);
}

static void add_lines(struct mask *m, struct str secret)
{
	struct str line;

	while (str_split(&secret, '\n', &line)) {
		line = str_trim(line);
		if (line.len >= LINE_MIN_BYTES)
			add_pattern(m, line);
	}
}

void mask_add(struct mask *m, struct str secret)
{
	if (secret.len < MASK_MIN_BYTES)
		return;
	add_pattern(m, secret);
	add_lines(m, secret);
	for (size_t before = 0; before < 3; before++)
		add_base64_at(m, secret, before);
	add_base64_alone(m, secret);
	add_percent(m, secret);
	add_json(m, secret, false);
	add_json(m, secret, true);
}

/* ---- the stream ---- */

enum match { NO_MATCH, MATCH, MAY_MATCH };

/* Longest first, so that what may still become a longer match is waited for. */
static enum match match_at(const struct mask *m, struct str rest, bool final, size_t *len)
{
	for (size_t i = 0; i < m->len; i++) {
		struct str pattern = m->patterns[i];
		size_t n = pattern.len < rest.len ? pattern.len : rest.len;
		if (memcmp(pattern.ptr, rest.ptr, n) != 0)
			continue;
		if (n == pattern.len) {
			*len = n;
			return MATCH;
		}
		if (!final)
			return MAY_MATCH;
	}
	return NO_MATCH;
}

/*
 * Every position is looked at, also inside a secret that was found: secrets may overlap, and the
 * rest of the second one must not show.
 */
static void scan(struct mask *m, struct str in, bool final, struct buf *out, size_t *used)
{
	size_t at = 0, len;

	while (at < in.len) {
		enum match found = NO_MATCH;
		if (m->starts[(unsigned char)in.ptr[at]])
			found = match_at(m, str_after(in, at), final, &len);
		if (found == MAY_MATCH)
			break;
		if (found == MATCH) {
			if (m->covered == 0)
				buf_adds(out, "***");
			m->covered = len > m->covered ? len : m->covered;
		}
		if (m->covered)
			m->covered--;
		else
			buf_addc(out, in.ptr[at]);
		at++;
	}
	*used = at;
}

void mask_feed(struct mask *m, struct str bytes, struct buf *out)
{
	size_t used;

	if (m->len == 0) {
		buf_addstr(out, bytes);
		return;
	}
	buf_addstr(&m->pending, bytes);
	scan(m, buf_str(&m->pending), false, out, &used);
	buf_drop_front(&m->pending, used);
}

void mask_finish(struct mask *m, struct buf *out)
{
	size_t used;

	scan(m, buf_str(&m->pending), true, out, &used);
	buf_clear(&m->pending);
	m->covered = 0;
}

#include "server/http/guard.h"

/* clang-format off */
static const struct refusal
	NOT_HTTP     = {400, "bad_request", "This is not an HTTP/1.1 request. Is it TLS sent to a port without TLS?"},
	BAD_REQUEST  = {400, "bad_request", "The first line must be: METHOD /path HTTP/1.1, with one blank between the parts."},
	BAD_TARGET   = {400, "bad_request", "The request target must be a path that starts with '/', without scheme and host."},
	BAD_VERSION  = {505, "bad_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."},
	BAD_METHOD   = {405, "method", "The method is not one of " GUARD_METHODS "."},
	TOO_LONG     = {414, "too_long", "The path and query are longer than 8 KiB."},
	BAD_PATH     = {400, "bad_path", "The path or query holds %00, a '%' without two hex digits, or a byte that must be percent-encoded."},
	LARGE_HEAD   = {431, "headers_too_large", "The headers are too large: by default at most 8 KiB a line, 100 lines and 32 KiB in all."},
	BARE_LF      = {400, "bad_framing", "A line ends in LF alone; each must end in CR LF."},
	FOLDED       = {400, "bad_framing", "A header line starts with a blank; folded headers are not accepted."},
	BLANK_COLON  = {400, "bad_framing", "There is a blank between a header's name and its colon."},
	BAD_NAME     = {400, "bad_header", "A header line is not 'Name: value' with a name of letters, digits and !#$%&'*+-.^_`|~."},
	BAD_VALUE    = {400, "bad_header", "A header's value holds a control byte."},
	NO_HOST      = {400, "bad_host", "The Host header is missing."},
	TWO_HOSTS    = {400, "bad_host", "There is more than one Host header."},
	BAD_HOST     = {400, "bad_host", "The Host header is not a name or address with an optional port."},
	BAD_LENGTH   = {400, "bad_framing", "Content-Length must be decimal digits."},
	TWO_LENGTHS  = {400, "bad_framing", "There is more than one Content-Length header."},
	HUGE_LENGTH  = {413, "too_large", "The Content-Length is larger than anything that is taken here."},
	BAD_CODING   = {400, "bad_framing", "Transfer-Encoding may only be: chunked."},
	TWO_CODINGS  = {400, "bad_framing", "There is more than one Transfer-Encoding header."},
	CODING_10    = {400, "bad_framing", "Transfer-Encoding is not part of HTTP/1.0."},
	TWO_FRAMINGS = {400, "bad_framing", "Content-Length and Transfer-Encoding may not be sent together."},
	BAD_EXPECT   = {417, "expect", "The only expectation that can be met is 100-continue."},
	BAD_UPGRADE  = {400, "bad_request", "No other protocol is offered; send the request without Upgrade."},
	BAD_ENCODING = {415, "bad_encoding", "Request bodies are not decoded; send it without Content-Encoding."};
/* clang-format on */

enum { TOKEN = 1, DIGIT = 2, HEX = 4, HOST = 8 };

/* Which bytes may stand where. */
static unsigned char_class(unsigned char c)
{
	static const unsigned char classes[256] = {
		['0' ... '9'] = TOKEN | DIGIT | HEX | HOST,
		['a' ... 'f'] = TOKEN | HEX | HOST,
		['A' ... 'F'] = TOKEN | HEX | HOST,
		['g' ... 'z'] = TOKEN | HOST,
		['G' ... 'Z'] = TOKEN | HOST,
		['-'] = TOKEN | HOST,
		['.'] = TOKEN | HOST,
		['_'] = TOKEN | HOST,
		['!'] = TOKEN,
		['#'] = TOKEN,
		['$'] = TOKEN,
		['%'] = TOKEN,
		['&'] = TOKEN,
		['\''] = TOKEN,
		['*'] = TOKEN,
		['+'] = TOKEN,
		['^'] = TOKEN,
		['`'] = TOKEN,
		['|'] = TOKEN,
		['~'] = TOKEN,
	};
	return classes[c];
}

static bool all_of(struct str s, unsigned class)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!(char_class((unsigned char)s.ptr[i]) & class))
			return false;
	}
	return true;
}

static bool has_control(struct str s) /* a tab is none */
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* ---- the request line ---- */

static bool is_method(struct str s)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (str_is(s, methods[i]))
			return true;
	}
	return false;
}

static const struct refusal *check_target(struct str target)
{
	if (!str_starts(target, "/"))
		return &BAD_TARGET;
	if (target.len > GUARD_PATH_BYTES)
		return &TOO_LONG;
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.ptr[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return &BAD_PATH;
		if (c != '%')
			continue;
		struct str hex = str_slice(target, i + 1, i + 3);
		if (hex.len != 2 || !all_of(hex, HEX) || str_is(hex, "00"))
			return &BAD_PATH;
	}
	return NULL;
}

static const struct refusal *check_request_line(struct guard *g, struct str line)
{
	size_t first = str_find(line, ' ', 0);
	struct str method = str_slice(line, 0, first), rest = str_after(line, first + 1);
	size_t second = str_find(rest, ' ', 0);
	struct str target = str_slice(rest, 0, second), version = str_after(rest, second + 1);

	g->requested = true;
	g->http10 = str_is(version, "HTTP/1.0");
	if (method.len == 0 || !all_of(method, TOKEN) || target.len == 0 ||
	    !str_starts(version, "HTTP/") || str_find(version, ' ', 0) < version.len ||
	    str_has_control(version))
		return &BAD_REQUEST;
	if (!g->http10 && !str_is(version, "HTTP/1.1"))
		return &BAD_VERSION;
	if (!is_method(method))
		return &BAD_METHOD;
	return check_target(target);
}

/* ---- header lines that decide something ---- */

static const struct refusal *check_content_length(struct guard *g, struct str value)
{
	uint64_t length;

	if (g->length)
		return &TWO_LENGTHS;
	if (g->chunked)
		return &TWO_FRAMINGS;
	g->length = true;
	if (value.len == 0 || !all_of(value, DIGIT))
		return &BAD_LENGTH;
	return str_to_u64(value, INT64_MAX, &length) ? NULL : &HUGE_LENGTH;
}

static const struct refusal *check_transfer_encoding(struct guard *g, struct str value)
{
	if (g->chunked)
		return &TWO_CODINGS;
	if (g->length)
		return &TWO_FRAMINGS;
	if (g->http10)
		return &CODING_10;
	g->chunked = true;
	return str_is_i(value, "chunked") ? NULL : &BAD_CODING;
}

/* "name", "1.2.3.4" or "[::1]", then perhaps ":port". */
static bool is_host(struct str value)
{
	uint64_t port;
	size_t end;

	if (str_starts(value, "[")) {
		struct str inner = str_slice(value, 1, str_find(value, ']', 0));
		for (size_t i = 0; i < inner.len; i++) {
			char c = inner.ptr[i];
			if (!(char_class((unsigned char)c) & HEX) && c != ':' && c != '.')
				return false;
		}
		end = inner.len + 2;
		if (inner.len < 2 || end > value.len)
			return false;
	} else {
		end = str_find(value, ':', 0);
		if (end == 0 || end > 255 || !all_of(str_slice(value, 0, end), HOST))
			return false;
	}
	struct str rest = str_after(value, end);
	return rest.len == 0 || (rest.ptr[0] == ':' && rest.len <= 6 &&
				 str_to_u64(str_after(rest, 1), 65535, &port));
}

static const struct refusal *check_host(struct guard *g, struct str value)
{
	if (g->host)
		return &TWO_HOSTS;
	g->host = true;
	return is_host(value) ? NULL : &BAD_HOST;
}

static const struct refusal *check_expect(struct guard *g, struct str value)
{
	(void)g;
	return str_is_i(value, "100-continue") ? NULL : &BAD_EXPECT;
}

static const struct refusal *check_upgrade(struct guard *g, struct str value)
{
	(void)g, (void)value;
	return &BAD_UPGRADE;
}

static const struct refusal *check_content_encoding(struct guard *g, struct str value)
{
	(void)g;
	return str_is_i(value, "identity") ? NULL : &BAD_ENCODING;
}

/* Doubt about a framing header is doubt about the framing, also when a byte in it is the fault. */
static const struct {
	struct str name;
	const struct refusal *control; /* when the value holds a control byte */
	const struct refusal *(*check)(struct guard *g, struct str value);
} special[] = {
	{ { "host", 4 }, &BAD_HOST, check_host },
	{ { "content-length", 14 }, &BAD_LENGTH, check_content_length },
	{ { "transfer-encoding", 17 }, &BAD_CODING, check_transfer_encoding },
	{ { "expect", 6 }, &BAD_EXPECT, check_expect },
	{ { "upgrade", 7 }, &BAD_VALUE, check_upgrade },
	{ { "content-encoding", 16 }, &BAD_VALUE, check_content_encoding },
};

static const struct refusal *check_name(struct str name)
{
	if (name.len == 0)
		return &BAD_NAME;
	if ((unsigned char)name.ptr[name.len - 1] <= 0x20)
		return &BLANK_COLON;
	return all_of(name, TOKEN) ? NULL : &BAD_NAME;
}

static const struct refusal *check_header_line(struct guard *g, struct str line)
{
	size_t colon = str_find(line, ':', 0);
	struct str name = str_slice(line, 0, colon);
	const struct refusal *why;

	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return &FOLDED;
	if (colon == line.len)
		return &BAD_NAME;
	if ((why = check_name(name)))
		return why;

	struct str value = str_after(line, colon + 1);
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (!str_ieq(name, special[i].name))
			continue;
		/* Here not even a tab: readers differ in whether they trim it. */
		return str_has_control(value) ? special[i].control
					      : special[i].check(g, str_trim(value));
	}
	return has_control(value) ? &BAD_VALUE : NULL;
}

/* ---- the walk over the lines ---- */

/*
 * Ceilings of a line of which `len` bytes are known. A request line that never shows a method is
 * not a long path but something else.
 */
static const struct refusal *check_room(const struct guard *g, const struct guard_limits *limits,
					struct str line)
{
	enum { METHOD_BYTES = 32, VERSION_BYTES = 16 };
	bool fits = g->line + line.len < limits->head_bytes;

	if (g->requested)
		return fits && line.len <= GUARD_LINE_BYTES + 1 ? NULL : &LARGE_HEAD;
	if (fits && line.len <= METHOD_BYTES + GUARD_PATH_BYTES + VERSION_BYTES)
		return NULL;
	return str_find(line, ' ', 0) < METHOD_BYTES ? &TOO_LONG : &BAD_REQUEST;
}

/* A first byte that begins no method is another protocol, which may never send an LF. */
static bool is_other_protocol(const struct guard *g, struct str line)
{
	return !g->requested && line.len > 0 && line.ptr[0] != '\r' &&
	       !(char_class((unsigned char)line.ptr[0]) & TOKEN);
}

static const struct refusal *check_line(struct guard *g, const struct guard_limits *limits,
					struct str line)
{
	if (!g->requested)
		return check_request_line(g, line);
	if (++g->lines > limits->head_lines)
		return &LARGE_HEAD;
	return check_header_line(g, line);
}

enum guard_verdict guard_feed(struct guard *g, const struct guard_limits *limits, struct str head,
			      const struct refusal **why)
{
	for (;;) {
		size_t lf = str_find(head, '\n', g->scanned);
		struct str line = str_slice(head, g->line, lf);

		if (is_other_protocol(g, line)) {
			*why = &NOT_HTTP;
			return GUARD_REFUSED;
		}
		if ((*why = check_room(g, limits, line)))
			return GUARD_REFUSED;
		g->scanned = lf;
		if (lf == head.len)
			return GUARD_MORE;
		if (!str_ends(line, "\r")) {
			*why = &BARE_LF;
			return GUARD_REFUSED;
		}
		g->line = g->scanned = lf + 1;
		line.len--;

		/* RFC 9112, 2.2: one empty line before the request is forgiven. */
		if (line.len == 0 && !g->requested && !g->skipped_empty) {
			g->skipped_empty = true;
			continue;
		}
		if (line.len == 0 && g->requested) {
			g->size = g->line;
			*why = g->host ? NULL : &NO_HOST;
			return g->host ? GUARD_DONE : GUARD_REFUSED;
		}
		if ((*why = check_line(g, limits, line)))
			return GUARD_REFUSED;
	}
}

#include "runner/exec/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/scope.h"
#include "model/address.h"
#include "runner/exec/exec.h"

enum {
	HELD_BYTES = 256 * 1024, /* received and not read yet: then the transfer pauses */
	HEAD_BYTES = 64 * 1024,
	STALL_MS = 30 * 1000,
	SLOWEST_BYTES_PER_S = 1024,
	TICK_MS = 1000,
};

struct transfers {
	struct transfers_opts opts;
	CURLM *multi;
	int64_t end_ms; /* monotonic; 0: none */
	int64_t received_bytes;
	int64_t waited_ms; /* for the network, since the stall clock was started */
	int64_t waited_bytes;
};

struct transfer {
	struct transfers *session;
	CURL *easy;
	struct curl_slist *headers;
	char message[CURL_ERROR_SIZE];
	struct buf held;
	size_t head_bytes;
	bool has_head, paused, done;
	CURLcode result;
	struct err refused; /* by one of our callbacks: why */
};

struct transfers *transfers_create(const struct transfers_opts *opts)
{
	struct transfers *t = xnew(struct transfers);

	*t = (struct transfers){
		.opts = *opts,
		.multi = curl_multi_init(),
		.end_ms = opts->limit_ms ? clock_monotonic_ms() + opts->limit_ms : 0,
	};
	if (!t->opts.stall_ms)
		t->opts.stall_ms = STALL_MS;
	return t;
}

void transfers_destroy(struct transfers *t)
{
	if (!t)
		return;
	curl_multi_cleanup(t->multi);
	free(t);
}

void transfers_touch(struct transfers *t)
{
	t->waited_ms = 0;
	t->waited_bytes = 0;
}

/* ---- callbacks of curl ---- */

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct transfer *r = data;
	struct str text = { line, size * n };

	r->head_bytes += text.len;
	if (r->head_bytes > HEAD_BYTES) {
		err_set(&r->refused, ERR_LIMIT, "net_protocol",
			"the server sent more than %d bytes of headers", HEAD_BYTES);
		return 0;
	}
	if (!str_is(text, "\r\n") && !str_is(text, "\n"))
		return text.len;
	/* The end of a head; that of "100 Continue" is not the one that we wait for. */
	long status = 0;
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	r->has_head = status >= 200;
	return text.len;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
	struct transfer *r = data;
	struct transfers *t = r->session;
	size_t len = size * n;

	if (r->held.len > HELD_BYTES) {
		r->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	t->received_bytes += (int64_t)len;
	t->waited_bytes += (int64_t)len;
	if (t->opts.limit_bytes && t->received_bytes > t->opts.limit_bytes) {
		err_set(&r->refused, ERR_LIMIT, "net_too_large",
			"the server sent more than %lld bytes", (long long)t->opts.limit_bytes);
		return 0;
	}
	buf_add(&r->held, bytes, len);
	return len;
}

/* The address is final here: whatever the name resolved to before or will later. */
static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *r = data;
	const struct transfers_opts *opts = &r->session->opts;
	(void)purpose;

	if (!opts->any_address &&
	    address_check(&address->addr, opts->allow, opts->allow_len, &r->refused) < 0)
		return CURL_SOCKET_BAD;
	/* An address that was refused before this one is no longer the reason of anything. */
	r->refused = (struct err){ 0 };
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- a request ---- */

static void set_credentials(CURL *easy, const struct transfer_request *request)
{
	if (!request->username && !request->password)
		return;
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_USERNAME, request->username ? request->username : "");
	curl_easy_setopt(easy, CURLOPT_PASSWORD,
			 request->password ? secret_reveal(request->password) : "");
}

static void set_method(CURL *easy, const struct transfer_request *request)
{
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (strcmp(request->method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.ptr);
	}
}

static void set_up(struct transfer *r, const struct transfer_request *request)
{
	CURL *easy = r->easy;

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Servers of git decide by this name whether to speak git or to show a page. */
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "git/2.0 (slipway/" SLIPWAY_VERSION ")");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->message);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
	STRVEC_FOREACH (header, &request->headers)
		r->headers = curl_slist_append(r->headers, *header);
	/* Some servers answer it with a pause of a second, and we never need it. */
	r->headers = curl_slist_append(r->headers, "Expect:");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
	set_method(easy, request);
	set_credentials(easy, request);
}

/* ---- waiting ---- */

static int check_stall(struct transfers *t, struct err *err)
{
	if (t->waited_ms < t->opts.stall_ms)
		return 0;
	if (t->waited_bytes * 1000 < t->waited_ms * SLOWEST_BYTES_PER_S)
		return err_set(err, ERR_TIMEOUT, "net_stalled",
			       "the server sent %lld bytes in %lld s", (long long)t->waited_bytes,
			       (long long)(t->waited_ms / 1000));
	transfers_touch(t);
	return 0;
}

int transfers_may_go_on(struct transfers *t, struct err *err)
{
	if (!t->opts.ignore_stop && exec_may_go_on(t->opts.x, err) < 0)
		return -1;
	if (t->end_ms && clock_monotonic_ms() >= t->end_ms)
		return err_set(err, ERR_TIMEOUT, "net_timeout",
			       "the server was not done after %lld s",
			       (long long)(t->opts.limit_ms / 1000));
	return check_stall(t, err);
}

static int next_wake_ms(const struct transfers *t)
{
	int64_t now = clock_monotonic_ms(), wait = TICK_MS;
	const int64_t waits[] = {
		t->opts.stall_ms - t->waited_ms,
		t->end_ms ? t->end_ms - now : TICK_MS,
		t->opts.ignore_stop ? TICK_MS : t->opts.x->deadline_ms - now,
	};
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		wait = waits[i] < wait ? waits[i] : wait;
	return wait > 0 ? (int)wait : 0;
}

static void note_result(struct transfer *r)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(r->session->multi, &left))) {
		if (message->msg != CURLMSG_DONE || message->easy_handle != r->easy)
			continue;
		r->done = true;
		r->result = message->data.result;
	}
}

static enum err_code code_of(const char *word)
{
	return strcmp(word, "tls") == 0 ? ERR_DENIED : ERR_UNAVAILABLE;
}

static const char *word_of(CURLcode result)
{
	switch (result) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS: return "tls";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING: return "net_protocol";
	default: return "net_unreachable";
	}
}

static int failed(const struct transfer *r, struct err *err)
{
	if (r->refused.code != ERR_NONE) {
		if (err)
			*err = r->refused;
		return -1;
	}
	const char *word = word_of(r->result);
	const char *what = r->message[0] ? r->message : curl_easy_strerror(r->result);
	return err_set(err, code_of(word), word, "%.300s", what);
}

/* Let curl work until something changed, or the time for a look at the clocks has come. */
static int turn(struct transfer *r, struct err *err)
{
	struct transfers *t = r->session;
	int running;

	if (r->paused) {
		r->paused = false;
		curl_easy_pause(r->easy, CURLPAUSE_CONT);
	}
	curl_multi_perform(t->multi, &running);
	note_result(r);
	if (r->done || r->held.len)
		return r->done && r->result != CURLE_OK ? failed(r, err) : 0;
	if (transfers_may_go_on(t, err) < 0)
		return -1;
	struct curl_waitfd stop = { .fd = t->opts.x->stop_fd, .events = CURL_WAIT_POLLIN };
	unsigned extra = !t->opts.ignore_stop && stop.fd >= 0;
	int64_t before = clock_monotonic_ms();
	curl_multi_poll(t->multi, &stop, extra, next_wake_ms(t), NULL);
	t->waited_ms += clock_monotonic_ms() - before;
	return 0;
}

/* Where to, without what might be secret in its query. */
static int refuse_redirect(struct transfer *r, struct err *err)
{
	const char *location = transfer_header(r, "location");
	struct str where = str_from(location);

	where.len = str_find(where, '?', 0);
	return err_set(err, ERR_DENIED, "redirect_denied",
		       "the server answers %d and sends us to %.*s, which we do not follow",
		       transfer_status(r), (int)(where.len > 200 ? 200 : where.len),
		       where.len ? where.ptr : "nowhere");
}

int transfer_open(struct transfer **out, struct transfers *t,
		  const struct transfer_request *request, struct err *err)
{
	struct transfer *r = xnew(struct transfer);

	r->session = t;
	r->easy = curl_easy_init();
	set_up(r, request);
	curl_multi_add_handle(t->multi, r->easy);
	transfers_touch(t);
	while (!r->has_head && !r->done) {
		if (turn(r, err) < 0)
			goto fail;
	}
	if (r->done && r->result != CURLE_OK) {
		failed(r, err);
		goto fail;
	}
	int status = transfer_status(r);
	if (status >= 300 && status < 400 && status != 304) {
		refuse_redirect(r, err);
		goto fail;
	}
	*out = r;
	return 0;
fail:
	transfer_close(r);
	return -1;
}

int transfer_status(const struct transfer *r)
{
	long status = 0;
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const char *transfer_header(const struct transfer *r, const char *name)
{
	struct curl_header *header;
	size_t last = 0;

	if (curl_easy_header(r->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	last = header->amount - 1;
	if (curl_easy_header(r->easy, name, last, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

int transfer_read(struct transfer *r, void *bytes, size_t size, size_t *n, struct err *err)
{
	while (!r->held.len && !r->done) {
		if (turn(r, err) < 0)
			return -1;
	}
	if (!r->held.len && r->result != CURLE_OK)
		return failed(r, err);
	*n = r->held.len < size ? r->held.len : size;
	if (*n)
		memcpy(bytes, r->held.ptr, *n);
	buf_drop_front(&r->held, *n);
	return 0;
}

int transfer_read_all(struct transfer *r, struct buf *out, struct err *err)
{
	char piece[16 * 1024];
	size_t n = 0;

	do {
		if (transfer_read(r, piece, sizeof piece, &n, err) < 0)
			return -1;
		if (buf_add(out, piece, n) < 0)
			return err_set(err, ERR_LIMIT, "net_too_large",
				       "the server sent more than %zu bytes", out->limit);
	} while (n > 0);
	return 0;
}

void transfer_close(struct transfer *r)
{
	if (!r)
		return;
	curl_multi_remove_handle(r->session->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_release(&r->held);
	free(r);
}

/* TLS: what is negotiated and refused, which certificates are taken, and that bytes get through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* After those three. */
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/scope.h"
#include "tests/unit/server/http/fixture.h"

static struct fixture f;
static struct err err;
static char certificate[128], key[128];

/* ---- a certificate of our own ---- */

static EVP_PKEY *write_key(void)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	cleanup_file FILE *out = fopen(key, "we");
	fchmod(fileno(out), 0600);
	PEM_write_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL);
	return pair;
}

/* Valid between these times, in seconds from now. */
static void write_certificate(EVP_PKEY *pair, long from_s, long to_s)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	cleanup_file FILE *out = fopen(certificate, "we");

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, pair);
	X509_sign(cert, pair, EVP_sha256());
	PEM_write_X509(out, cert);
	X509_free(cert);
}

static void write_pair(long from_s, long to_s)
{
	EVP_PKEY *pair = write_key();
	write_certificate(pair, from_s, to_s);
	EVP_PKEY_free(pair);
}

static int setup(void **state)
{
	(void)state;
	fixture_open(&f, NULL);
	http_server_close(f.server, NULL);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	http_server_create(&f.server, &f.loop, NULL, fixture_route, &f, &err);
	snprintf(certificate, sizeof certificate, "%s/cert.pem", f.dir);
	snprintf(key, sizeof key, "%s/key.pem", f.dir);
	write_pair(-60, 3600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(certificate);
	unlink(key);
	fixture_close(&f);
	return 0;
}

/* ---- a client ---- */

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

static void listen_tls(void)
{
	if (http_listen_tcp(f.server, "127.0.0.1:0", certificate, key, &err) < 0)
		fail_msg("%s", err.msg);
}

static void client_init(struct client *c)
{
	*c = (struct client){ .fd = client_open(&f), .ctx = SSL_CTX_new(TLS_client_method()) };
	SSL_CTX_set_security_level(c->ctx, 0);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_connect_state(c->ssl);
}

static void client_release(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
}

/* Retry an operation while the loop turns: its result, or 0 and below when it failed. */
static int drive(struct client *c, int (*operation)(struct client *c, void *arg), void *arg)
{
	int64_t give_up = clock_monotonic_ms() + 10000;

	for (;;) {
		ERR_clear_error();
		int rc = operation(c, arg);
		int why = rc > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, rc);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return rc;
		if (clock_monotonic_ms() > give_up)
			fail_msg("TLS: nothing happened");
		fixture_turn(&f, c->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
	}
}

static int handshake(struct client *c, void *arg)
{
	(void)arg;
	return SSL_do_handshake(c->ssl);
}

static int write_rest(struct client *c, void *arg)
{
	struct str *rest = arg;
	int n = SSL_write(c->ssl, rest->ptr, (int)rest->len);
	if (n > 0)
		*rest = str_after(*rest, (size_t)n);
	return n;
}

static int read_more(struct client *c, void *arg)
{
	struct buf *into = arg;
	buf_reserve(into, 16384);
	int n = SSL_read(c->ssl, into->ptr + into->len, 16384);
	if (n > 0)
		buf_grown(into, (size_t)n);
	return n;
}

static void say(struct client *c, struct str text)
{
	while (text.len > 0)
		assert_true(drive(c, write_rest, &text) > 0);
}

/* Until `end` has come at the end. */
static void hear(struct client *c, struct buf *into, const char *end)
{
	while (!str_ends(buf_str(into), end)) {
		if (drive(c, read_more, into) <= 0)
			fail_msg("closed after %zu bytes", into->len);
	}
}

/* ---- tests ---- */

#define GET "GET /whoami HTTP/1.1\r\nHost: a\r\n\r\n"

static void request_over_tls_is_answered(void **state)
{
	struct buf got = BUF_INIT;
	struct client c;
	(void)state;

	listen_tls();
	client_init(&c);
	assert_int_equal(drive(&c, handshake, NULL), 1);
	for (int i = 0; i < 3; i++) {
		buf_clear(&got);
		say(&c, STR(GET));
		hear(&c, &got, "tls=1 https://a hosts=1");
	}
	buf_release(&got);
	client_release(&c);
}

static void both_versions_use_aead_only(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	(void)state;

	listen_tls();
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct client c;
		client_init(&c);
		SSL_set_max_proto_version(c.ssl, versions[i]);
		assert_int_equal(drive(&c, handshake, NULL), 1);
		assert_int_equal(SSL_version(c.ssl), versions[i]);
		assert_true(SSL_CIPHER_is_aead(SSL_get_current_cipher(c.ssl)));
		client_release(&c);
	}
}

static void old_versions_and_ciphers_are_refused(void **state)
{
	struct client c;
	(void)state;

	listen_tls();
	client_init(&c);
	SSL_set_max_proto_version(c.ssl, TLS1_1_VERSION);
	assert_true(drive(&c, handshake, NULL) <= 0);
	client_release(&c);

	client_init(&c);
	SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
	SSL_set_cipher_list(c.ssl, "ECDHE-ECDSA-AES128-SHA256");
	assert_true(drive(&c, handshake, NULL) <= 0);
	client_release(&c);
}

static void renegotiation_is_refused(void **state)
{
	struct buf got = BUF_INIT;
	struct client c;
	(void)state;

	listen_tls();
	client_init(&c);
	SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
	assert_int_equal(drive(&c, handshake, NULL), 1);
	SSL_renegotiate(c.ssl);
	assert_true(drive(&c, handshake, NULL) <= 0 || drive(&c, read_more, &got) <= 0);
	buf_release(&got);
	client_release(&c);
}

static void protocol_is_http_1_1_or_nothing(void **state)
{
	const unsigned char *chosen;
	unsigned len;
	struct client c;
	(void)state;

	listen_tls();
	client_init(&c);
	SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
	assert_int_equal(drive(&c, handshake, NULL), 1);
	SSL_get0_alpn_selected(c.ssl, &chosen, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	client_release(&c);

	client_init(&c);
	SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2", 3);
	assert_true(drive(&c, handshake, NULL) <= 0);
	client_release(&c);
}

static bool is_paused(struct fixture *fx)
{
	return fx->pending != NULL;
}

/* While the handler rests, decrypted and encrypted bytes wait in three places; none is lost. */
static void paused_upload_over_tls_loses_nothing(void **state)
{
	enum { BYTES = 3 << 20 };
	struct buf body = BUF_INIT, got = BUF_INIT;
	struct client c;
	(void)state;

	for (int i = 0; i < BYTES / 8; i++)
		buf_addf(&body, "%07d\n", i);
	f.pause_first = true;
	listen_tls();
	client_init(&c);
	say(&c, STR("PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3145728\r\n\r\n"));
	struct str rest = buf_str(&body);
	say(&c, str_slice(rest, 0, 100000));
	fixture_until(&f, is_paused);
	fixture_for_ms(&f, 50);
	assert_true(f.uploaded.len <= 16384);
	http_body_resume(f.pending);
	say(&c, str_after(rest, 100000));
	hear(&c, &got, "3145728");
	assert_true(str_eq(buf_str(&f.uploaded), buf_str(&body)));
	buf_release(&body);
	buf_release(&got);
	client_release(&c);
}

/* All of it was read from the socket before the pause: no event will come to bring the rest. */
static void what_is_decrypted_late_arrives_without_an_event(void **state)
{
	struct buf request = BUF_INIT, got = BUF_INIT;
	struct client c;
	(void)state;

	f.pause_first = true;
	listen_tls();
	client_init(&c);
	assert_int_equal(drive(&c, handshake, NULL), 1);
	SSL_set_max_send_fragment(c.ssl, 512); /* many records in one read */
	buf_adds(&request, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&request, "%07d\n", i);
	say(&c, buf_str(&request));
	fixture_until(&f, is_paused);
	fixture_for_ms(&f, 20);
	http_body_resume(f.pending);
	hear(&c, &got, "8000");
	buf_release(&request);
	buf_release(&got);
	client_release(&c);
}

static void long_answer_over_tls_arrives_whole(void **state)
{
	struct buf got = BUF_INIT;
	struct client c;
	(void)state;

	listen_tls();
	f.to_produce = 8 << 20;
	client_init(&c);
	say(&c, STR("GET /produce HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
	fixture_for_ms(&f, 50);
	assert_true(f.produced < f.to_produce);
	while (drive(&c, read_more, &got) > 0)
		;
	/* Said goodbye to, so that the client knows that nothing was cut off. */
	assert_true(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN);
	assert_in_range(got.len, 8 << 20, (8 << 20) + 1000);
	assert_int_equal(f.released, 1);
	buf_release(&got);
	client_release(&c);
}

static void plain_text_on_a_tls_port_is_closed(void **state)
{
	struct buf got = BUF_INIT;
	(void)state;

	listen_tls();
	int fd = client_open(&f);
	client_say(&f, fd, GET);
	client_read_to_end(&f, fd, &got);
	assert_int_equal(f.routed, 0);
	close(fd);
	buf_release(&got);
}

static void assert_config_tls(const char *text)
{
	err = (struct err){ 0 };
	assert_int_equal(http_listen_tcp(f.server, "127.0.0.1:0", certificate, key, &err), -1);
	assert_string_equal(err.word, "config_tls");
	if (!strstr(err.msg, text))
		fail_msg("'%s' does not say '%s'", err.msg, text);
}

static void unusable_certificates_are_refused(void **state)
{
	(void)state;

	EVP_PKEY_free(write_key());
	assert_config_tls("does not go with");
	write_pair(-7200, -60);
	assert_config_tls("expired");
	write_pair(3600, 7200);
	assert_config_tls("not valid yet");
	write_pair(-60, 3600);
	chmod(key, 0644);
	assert_config_tls("everybody");
	chmod(key, 0640);
	listen_tls();
	close(open(key, O_WRONLY | O_TRUNC | O_CLOEXEC));
	assert_config_tls("does not go with");
	unlink(key);
	assert_config_tls("cannot be read");
	unlink(certificate);
	assert_config_tls("cannot use the certificate");
	assert_int_equal(http_listen_tcp(f.server, "127.0.0.1:0", certificate, NULL, &err), -1);
	assert_string_equal(err.word, "config_tls");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(request_over_tls_is_answered),
		TEST(both_versions_use_aead_only),
		TEST(old_versions_and_ciphers_are_refused),
		TEST(renegotiation_is_refused),
		TEST(protocol_is_http_1_1_or_nothing),
		TEST(paused_upload_over_tls_loses_nothing),
		TEST(what_is_decrypted_late_arrives_without_an_event),
		TEST(long_answer_over_tls_arrives_whole),
		TEST(plain_text_on_a_tls_port_is_closed),
		TEST(unusable_certificates_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * load: sends signed GitHub push deliveries over keep-alive connections and tells how fast they
 * were answered. Every delivery is a new one: its id and the commit that it names are unique.
 *
 *   load ADDRESS:PORT PATH SECRET-FILE PAYLOAD-FILE CONNECTIONS SECONDS [ACKED-FILE]
 *
 * PAYLOAD-FILE holds a push payload with "after":"<40 hex>"; those digits are replaced. Prints one
 * JSON line: requests, ok (2xx), failed, per_second, p50_us, p99_us. With ACKED-FILE the id of each
 * delivery that was answered 202 is written there, a line each, as soon as the answer is read:
 * for proving that nothing acknowledged is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/scope.h"

enum { ANSWER_BYTES = 64 << 10, PAYLOAD_BYTES = 8 << 20, SAMPLES_MAX = 1 << 20, SHA_DIGITS = 40 };

struct load {
	struct sockaddr_in address;
	const char *path;
	char *secret;
	struct buf payload;
	size_t after; /* where the digits of the commit are */
	int64_t end_us;
	int acked_fd; /* -1: not wanted */
};

struct sender {
	struct load *load;
	int number;
	uint64_t sent, ok, failed;
	uint32_t *samples_us;
	size_t samples;
};

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int dial(const struct load *load)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&load->address, sizeof load->address) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* Reads one answer; its status, or -1 when the connection broke. *last: the server closes now. */
static int read_answer(int fd, char *answer, bool *last)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, answer + have, ANSWER_BYTES - 1 - have);
		if (n <= 0)
			return -1;
		have += (size_t)n;
		answer[have] = '\0';
		const char *body = strstr(answer, "\r\n\r\n");
		if (!body)
			continue;
		const char *length = strcasestr(answer, "\r\ncontent-length:");
		size_t want = length && length < body ? strtoul(length + 17, NULL, 10) : 0;
		const char *close_word = strcasestr(answer, "\r\nconnection: close");
		*last = close_word && close_word < body;
		if (have >= (size_t)(body + 4 - answer) + want)
			return (int)strtol(answer + 9, NULL, 10);
	}
}

/* Delivery id and commit: the same 32 digits of (process, sender, count), so that none comes twice.
 */
static void make_unique(struct sender *s, char id[37], char *body)
{
	char digits[SHA_DIGITS + 1];

	snprintf(digits, sizeof digits, "%08x%08x%016" PRIx64 "%08x", (unsigned)getpid(),
		 (unsigned)s->number + 1, s->sent, 0xfeedu);
	memcpy(body + s->load->after, digits, SHA_DIGITS);
	snprintf(id, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
		 digits + 20);
}

static bool send_one(struct sender *s, int fd, char *body, char *answer, bool *last)
{
	struct load *load = s->load;
	unsigned char mac[SHA256_BYTES];
	char id[37];
	cleanup_buf struct buf request = BUF_INIT;

	make_unique(s, id, body);
	hmac_sha256(mac, str_from(load->secret), (struct str){ body, load->payload.len });
	cleanup_free char *hex = hex_encode(mac, sizeof mac);
	buf_addf(
		&request,
		"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\n"
		"X-GitHub-Delivery: %s\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %zu\r\n\r\n",
		load->path, id, hex, load->payload.len);
	buf_add(&request, body, load->payload.len);

	int64_t start_us = now_us();
	struct err err;
	s->sent++;
	if (fs_write_all(fd, buf_str(&request), &err) < 0)
		return false;
	int status = read_answer(fd, answer, last);
	if (s->samples < SAMPLES_MAX)
		s->samples_us[s->samples++] = (uint32_t)(now_us() - start_us);
	if (status < 0)
		return false;
	if (status / 100 != 2) {
		s->failed++;
		return true;
	}
	s->ok++;
	if (load->acked_fd >= 0 && status == 202 && dprintf(load->acked_fd, "%s\n", id) < 0)
		die("acknowledged ids");
	return true;
}

static void *send_all(void *data)
{
	struct sender *s = data;
	char *body = xmemdup(s->load->payload.ptr, s->load->payload.len),
	     *answer = xmalloc(ANSWER_BYTES);
	int fd = -1;

	while (now_us() < s->load->end_us) {
		if (fd < 0 && (fd = dial(s->load)) < 0) {
			s->failed++;
			break; /* the server is gone: what was acknowledged until now is what counts
				*/
		}
		bool last = false;
		if (!send_one(s, fd, body, answer, &last)) {
			s->failed++;
			last = true;
		}
		if (last) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	free(body);
	free(answer);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void print_result(struct sender *senders, int n, double seconds)
{
	uint64_t sent = 0, ok = 0, failed = 0;
	size_t count = 0;
	uint32_t *all = NULL;

	for (int i = 0; i < n; i++) {
		sent += senders[i].sent;
		ok += senders[i].ok;
		failed += senders[i].failed;
		all = xreallocarray(all, count + senders[i].samples, sizeof *all);
		memcpy(all + count, senders[i].samples_us, senders[i].samples * sizeof *all);
		count += senders[i].samples;
	}
	if (count)
		qsort(all, count, sizeof *all, by_value);
	printf("{\"requests\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"per_second\":%.0f,\"p50_us\":%u,\"p99_us\":%u}\n",
	       sent, ok, failed, (double)ok / seconds, count ? all[count / 2] : 0,
	       count ? all[count * 99 / 100] : 0);
	free(all);
}

static void load_init(struct load *load, char **argv)
{
	struct err err;
	struct buf secret = BUF_LIMIT(4096);
	char *colon = strrchr(argv[1], ':');

	*load = (struct load){ .path = argv[2],
			       .payload = BUF_LIMIT(PAYLOAD_BYTES),
			       .acked_fd = -1 };
	load->address.sin_family = AF_INET;
	if (!colon)
		die("want ADDRESS:PORT");
	*colon = '\0';
	load->address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, argv[1], &load->address.sin_addr) != 1)
		die(argv[1]);
	if (fs_read(&secret, argv[3], &err) < 0 || fs_read(&load->payload, argv[4], &err) < 0)
		die(err.msg);
	load->secret = str_dup(str_trim(buf_str(&secret)));
	buf_release(&secret);
	const char *after = strstr(load->payload.ptr, "\"after\"");
	after = after ? strpbrk(after + 7, "0123456789abcdef") : NULL;
	if (!after || load->payload.len < (size_t)(after - load->payload.ptr) + SHA_DIGITS)
		die("the payload names no \"after\"");
	load->after = (size_t)(after - load->payload.ptr);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr,
			"usage: load ADDRESS:PORT PATH SECRET-FILE PAYLOAD-FILE CONNECTIONS SECONDS [ACKED-FILE]\n");
		return 2;
	}
	struct load load;
	load_init(&load, argv);
	signal(SIGPIPE, SIG_IGN); /* a server that was killed is an answer too */
	int n = atoi(argv[5]);
	double seconds = atof(argv[6]);
	struct sender *senders = xcalloc((size_t)n, sizeof *senders);
	pthread_t *threads = xcalloc((size_t)n, sizeof *threads);

	if (argc > 7 &&
	    (load.acked_fd = open(argv[7], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
		die(argv[7]);
	int64_t start_us = now_us();
	load.end_us = start_us + (int64_t)(seconds * 1e6);
	for (int i = 0; i < n; i++) {
		senders[i] = (struct sender){ .load = &load, .number = i };
		senders[i].samples_us = xmalloc(SAMPLES_MAX * sizeof(uint32_t));
		pthread_create(&threads[i], NULL, send_all, &senders[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	print_result(senders, n, (double)(now_us() - start_us) / 1e6);
	for (int i = 0; i < n; i++)
		free(senders[i].samples_us);
	free(senders);
	free(threads);
	free(load.secret);
	buf_release(&load.payload);
	return 0;
}

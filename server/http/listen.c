/*
 * listen: sockets that accept. We accept ourselves, and leave only the waiting to the loop, to have
 * a say when there are enough connections or no descriptors: then accepting rests instead of
 * spinning, and the backlog waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "server/http/conn.h"
#include "server/http/peer.h"
#include "server/http/tls.h"

struct listener {
	uv_poll_t poll; /* first: a handle is its listener */
	TAILQ_ENTRY(listener) list;
	struct http_server *server;
	int fd;
	bool is_unix, polling;
	struct tls_context *tls;
	char *path; /* of a Unix socket that we made, with the identity of that file */
	dev_t dev;
	ino_t ino;
	char address[64];
};

enum {
	BACKLOG = 1024,
	ACCEPTS_PER_TURN = 64, /* then connections have their turn */
	ACCEPT_REST_MS = 100,  /* when descriptors are out */
	UNIX_EXTRA_CONNS = 64, /* the administrator's door stays open when the others are full */
	UNSENT_BYTES =
		128 << 10, /* of a socket's buffer in the kernel: a slow client costs no more */
};

union address {
	struct sockaddr any;
	struct sockaddr_storage storage;
	struct sockaddr_un unix_path;
};

/* ---- accepting ---- */

/*
 * No descriptor is left. One connection gets the spare one and is told to come back; what has
 * arrived is read first, since closing with unread input would take the answer back.
 */
static void turn_one_away(struct listener *l)
{
	static const char body[] = "{\"error\":{\"code\":\"overloaded\",\"message\":\"Too many "
				   "connections are open; try again soon.\",\"details\":[]}}";
	char dropped[4096], answer[512];

	close(l->server->spare_fd);
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && !l->tls) {
		int n = snprintf(answer, sizeof answer,
				 "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
				 "Content-Type: application/json; charset=utf-8\r\n"
				 "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
				 "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
				 sizeof body - 1, body);
		while (recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) == sizeof dropped)
			;
		send(fd, answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (fd >= 0)
		close(fd);
	l->server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_rested(uv_timer_t *timer)
{
	listeners_update(timer->data);
}

static bool has_room(const struct listener *l)
{
	const struct http_server *s = l->server;
	return s->open < s->limits.conns + (l->is_unix ? UNIX_EXTRA_CONNS : 0);
}

/* One connection. False when there is none to take, or none can be taken now. */
static bool accept_one(struct listener *l)
{
	union address address = { 0 };
	socklen_t len = sizeof address;

	int fd = accept4(l->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		struct http_peer peer = peer_of(fd, &address.any);
		conn_start(l->server, fd, &peer, l->tls);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		turn_one_away(l);
		uv_timer_start(&l->server->accept_timer, on_rested, ACCEPT_REST_MS, 0);
		return false;
	}
	return errno == EINTR || errno == ECONNABORTED;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = (struct listener *)poll;
	(void)status, (void)events;

	for (int i = 0; i < ACCEPTS_PER_TURN && has_room(l) && accept_one(l); i++)
		;
	listeners_update(l->server);
}

void listeners_update(struct http_server *s)
{
	bool resting = uv_is_active((uv_handle_t *)&s->accept_timer);
	struct listener *l;

	if (s->draining)
		return;
	TAILQ_FOREACH(l, &s->listeners, list)
	{
		bool wanted = !resting && has_room(l);
		if (wanted == l->polling)
			continue;
		l->polling = wanted;
		if (wanted)
			uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
		else
			uv_poll_stop(&l->poll);
	}
}

/* ---- closing ---- */

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *l = (struct listener *)handle;
	struct http_server *s = l->server;

	tls_context_destroy(l->tls);
	free(l->path);
	free(l);
	server_handle_closed(s);
}

/* Only the file that we made: another server may have put its own in its place. */
static void remove_own_path(const struct listener *l)
{
	struct stat st;
	if (l->path && stat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
}

void listeners_close(struct http_server *s)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(&s->listeners))) {
		TAILQ_REMOVE(&s->listeners, l, list);
		remove_own_path(l);
		uv_poll_stop(&l->poll);
		close(l->fd);
		uv_close((uv_handle_t *)&l->poll, on_listener_closed);
	}
}

/* ---- opening ---- */

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value);
}

/* Accepted sockets inherit these, which saves every connection the calls. */
static void set_tcp_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

/* Takes fd and tls, also on failure. */
static struct listener *add_listener(struct http_server *s, int fd, struct tls_context *tls,
				     struct err *err)
{
	struct listener *l = xnew(struct listener);
	union address address = { 0 };
	socklen_t len = sizeof address;

	getsockname(fd, &address.any, &len);
	*l = (struct listener){ .server = s, .fd = fd, .tls = tls };
	l->is_unix = address.any.sa_family == AF_UNIX;
	sockaddr_format(l->address, sizeof l->address, &address.any);
	if (!l->is_unix)
		set_tcp_options(fd);
	int rc = uv_poll_init(s->loop, &l->poll, fd);
	if (rc < 0) {
		tls_context_destroy(tls);
		close(fd);
		free(l);
		err_set(err, ERR_INTERNAL, "config_listen", "listen: %s", uv_strerror(rc));
		return NULL;
	}
	TAILQ_INSERT_TAIL(&s->listeners, l, list);
	s->handles++;
	listeners_update(s);
	return l;
}

/* "ADDR:PORT" or "[V6]:PORT" into what getaddrinfo() finds. */
static struct addrinfo *resolve(const char *address, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(address, ':');
	uint64_t port;

	if (!colon || colon == address || !str_to_u64(str_from(colon + 1), 65535, &port)) {
		err_set(err, ERR_INVALID, "config_listen",
			"listen: '%.200s' is not ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080",
			address);
		return NULL;
	}
	char *host = xstrndup(address, (size_t)(colon - address));
	size_t n = strlen(host);
	bool bracketed = n > 2 && host[0] == '[' && host[n - 1] == ']';
	if (bracketed)
		host[n - 1] = '\0';
	int rc = getaddrinfo(bracketed ? host + 1 : host, colon + 1, &hints, &found);
	free(host);
	if (rc != 0)
		err_set(err, ERR_INVALID, "config_listen", "listen: '%.200s': %s", address,
			gai_strerror(rc));
	return rc == 0 ? found : NULL;
}

/* A bound and listening socket, or -1. */
static int open_tcp(const char *address, struct err *err)
{
	struct addrinfo *found = resolve(address, err);
	if (!found)
		return -1;

	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
		  listen(fd, BACKLOG) == 0;
	int errnum = errno;
	freeaddrinfo(found);
	if (ok)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set_errno(err, ERR_UNAVAILABLE, "config_listen", errnum, "listen: %.200s",
			     address);
}

int http_listen_tcp(struct http_server *s, const char *address, const char *certificate,
		    const char *key, struct err *err)
{
	struct tls_context *tls = NULL;

	if (!certificate != !key)
		return err_set(err, ERR_INVALID, "config_tls",
			       "tls: a certificate and its key are needed together");
	if (certificate && tls_context_create(&tls, certificate, key, err) < 0)
		return -1;
	int fd = open_tcp(address, err);
	if (fd < 0) {
		tls_context_destroy(tls);
		return -1;
	}
	return add_listener(s, fd, tls, err) ? 0 : -1;
}

/* A socket file that nobody listens on is what a killed server leaves behind. */
static int remove_stale(const char *path, const struct sockaddr_un *address, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_INVALID, "config_listen",
			       "listen: %.200s exists and is not a socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
	bool refused = rc < 0 && errno == ECONNREFUSED;
	close(fd);
	if (!refused)
		return err_set(err, ERR_CONFLICT, "config_listen",
			       "listen: another process listens on %.200s", path);
	unlink(path);
	return 0;
}

static int open_unix(const char *path, struct stat *st, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, ERR_INVALID, "config_listen",
			       "listen: the path of a Unix socket has at most %zu bytes: %.200s",
			       sizeof address.sun_path - 1, path);
	memcpy(address.sun_path, path, strlen(path));
	if (remove_stale(path, &address, err) < 0)
		return -1;

	/* The mode is set before anybody can connect: before listen(). */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    chmod(path, 0660) == 0 && stat(path, st) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_set_errno(err, ERR_UNAVAILABLE, "config_listen", errno, "listen: %.200s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

int http_listen_unix(struct http_server *s, const char *path, struct err *err)
{
	struct stat st = { 0 };
	int fd = open_unix(path, &st, err);
	struct listener *l = fd < 0 ? NULL : add_listener(s, fd, NULL, err);

	if (!l)
		return -1;
	l->path = xstrdup(path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int http_listen_fd(struct http_server *s, int fd, struct err *err)
{
	int listening = 0;
	socklen_t len = sizeof listening;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening) {
		close(fd);
		return err_set(err, ERR_INVALID, "config_listen",
			       "listen: the inherited descriptor %d is not a listening socket", fd);
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return add_listener(s, fd, NULL, err) ? 0 : -1;
}

const char *http_server_address(const struct http_server *s)
{
	const struct listener *l;

	TAILQ_FOREACH(l, &s->listeners, list)
	{
		if (!l->is_unix)
			return l->address;
	}
	return NULL;
}

#include "runner/exec/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/scope.h"
#include "runner/exec/network_routes.h"
#include "runner/exec/probe.h"

enum {
	READY_MS = 5000,
	READY_FD = 3, /* of slirp4netns: it writes "1" when the network works */
	EXIT_FD = 4,  /* of slirp4netns: it ends when the other end is closed */
};

/* slirp4netns' own addresses: it stands for router and name server. */
static const uint32_t SLIRP_GATEWAY = 0x0a000202; /* 10.0.2.2 */
#define SLIRP_NAME_SERVER "10.0.2.3"

struct network {
	const char *kind;       /* "slirp4netns", "none", "host" */
	int namespace_fd;       /* the three below: -1 but for slirp4netns */
	int netlink;            /* in the namespace */
	int ready_fd, alive_fd; /* our ends of slirp4netns' pipes */
	pid_t pid;
	struct ranges permitted; /* within forbidden ranges: routed once the device is there */
};

/* ---- the namespace ---- */

static int failed(const char *what, struct err *err)
{
	return err_set_errno(err, ERR_INTERNAL, "engine_unusable", errno,
			     "no network for the build: %s", what);
}

static int loopback_up(void)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

static int fill_namespace(struct network *n, const struct ranges *forbidden, struct err *err)
{
	n->namespace_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	n->netlink = routes_open();
	if (n->namespace_fd < 0 || n->netlink < 0 || loopback_up() < 0)
		return failed("cannot set up its namespace", err);
	return routes_forbid(n->netlink, forbidden, err);
}

/* Step into a new namespace, set it up, and step back: we have no threads. */
static int make_namespace(struct network *n, const struct ranges *forbidden, struct err *err)
{
	cleanup_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return failed("no network namespace", err);
	int rc = fill_namespace(n, forbidden, err);
	if (setns(home, CLONE_NEWNET) < 0)
		return failed("cannot leave its namespace", err);
	return rc;
}

/* There is no IPv6 in there, so only IPv4 ranges matter. */
static void read_allowed(struct ranges *out, const struct spec *s)
{
	for (size_t i = 0; i < s->allow_addresses_len; i++) {
		const struct cidr *c = &s->allow_addresses[i];
		uint32_t wire;
		memcpy(&wire, c->net.bytes, sizeof wire);
		if (!c->net.v6)
			ranges_add(out, ntohl(wire), c->prefix);
	}
}

/* ---- slirp4netns ---- */

static int spawn_slirp(struct network *n, const char *program, int ready, int alive)
{
	cleanup_strvec struct strvec argv = { 0 };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;

	strvec_push(&argv, program);
	strvec_push(&argv, "--configure");
	strvec_push(&argv, "--mtu=65520");
	strvec_push(&argv, "--disable-host-loopback");
	strvec_push(&argv, "--enable-sandbox");
	strvec_pushf(&argv, "--ready-fd=%d", READY_FD);
	strvec_pushf(&argv, "--exit-fd=%d", EXIT_FD);
	strvec_push(&argv, "--netns-type=path");
	strvec_pushf(&argv, "/proc/%d/fd/%d", (int)getpid(), n->namespace_fd);
	strvec_push(&argv, "tap0");

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&files, ready, READY_FD);
	posix_spawn_file_actions_adddup2(&files, alive, EXIT_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, EXIT_FD + 1);
	int rc = posix_spawn(&n->pid, program, &files, &attr, argv.items, (char *[]){ NULL });
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* Copies above the numbers that they are given as, or one dup2() would overwrite the other. */
static int start_slirp(struct network *n, struct err *err)
{
	cleanup_free char *program = probe_find_program("slirp4netns");
	int ready[2] = { -1, -1 }, alive[2] = { -1, -1 };

	if (!program)
		return err_set(err, ERR_NOTFOUND, "engine_unusable",
			       "slirp4netns is not installed");
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(alive, O_CLOEXEC) < 0)
		return failed("no pipe", err);
	n->ready_fd = ready[0];
	n->alive_fd = alive[1];
	cleanup_fd int its_ready = fcntl(ready[1], F_DUPFD_CLOEXEC, EXIT_FD + 1);
	cleanup_fd int its_alive = fcntl(alive[0], F_DUPFD_CLOEXEC, EXIT_FD + 1);
	close(ready[1]);
	close(alive[0]);
	errno = spawn_slirp(n, program, its_ready, its_alive);
	return errno ? failed("cannot start slirp4netns", err) : 0;
}

/* ---- public ---- */

static struct network *network_new(const char *kind)
{
	struct network *n = xnew(struct network);

	*n = (struct network){
		.kind = kind, .namespace_fd = -1, .netlink = -1, .ready_fd = -1, .alive_fd = -1
	};
	return n;
}

static int open_slirp(struct network *n, const struct spec *s, struct err *err)
{
	struct ranges forbidden = { 0 }, allowed = { 0 }, closed = { 0 };

	ranges_forbidden(&forbidden);
	read_allowed(&allowed, s);
	ranges_without(&closed, &forbidden, &allowed);
	ranges_within(&n->permitted, &allowed, &closed);
	int rc = make_namespace(n, &closed, err);
	if (rc == 0)
		rc = start_slirp(n, err);
	ranges_release(&forbidden);
	ranges_release(&allowed);
	ranges_release(&closed);
	return rc;
}

int network_open(struct network **out, const char *kind, const struct spec *s, struct err *err)
{
	static const char *const kinds[] = { "slirp4netns", "none", "host" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kind, kinds[i]) != 0)
			continue;
		struct network *n = network_new(kinds[i]);
		if (i == 0 && open_slirp(n, s, err) < 0) {
			network_close(n);
			return -1;
		}
		*out = n;
		return 0;
	}
	return err_set(err, ERR_INVALID, "engine_unusable",
		       "engine.network is auto, slirp4netns, none or host, not %.60s", kind);
}

int network_wait(struct network *n, struct err *err)
{
	int64_t until_ms = clock_monotonic_ms() + READY_MS;
	char byte;

	if (n->ready_fd < 0)
		return 0;
	for (;;) {
		struct pollfd fd = { .fd = n->ready_fd, .events = POLLIN };
		int64_t left_ms = until_ms - clock_monotonic_ms();
		if (left_ms <= 0)
			return err_set(err, ERR_INTERNAL, "engine_unusable",
				       "slirp4netns gave no network within %d s", READY_MS / 1000);
		if (poll(&fd, 1, (int)left_ms) > 0)
			break;
	}
	if (read(n->ready_fd, &byte, 1) != 1)
		return err_set(err, ERR_INTERNAL, "engine_unusable",
			       "slirp4netns ended without giving a network");
	close(n->ready_fd);
	n->ready_fd = -1;
	return routes_permit(n->netlink, &n->permitted, SLIRP_GATEWAY, err);
}

void network_args(const struct network *n, struct strvec *argv)
{
	strvec_push(argv, "--network");
	if (n->namespace_fd < 0) {
		strvec_push(argv, n->kind);
		return;
	}
	strvec_pushf(argv, "ns:/proc/%d/fd/%d", (int)getpid(), n->namespace_fd);
	strvec_push(argv, "--dns=" SLIRP_NAME_SERVER);
	strvec_push(argv, "--dns-search=.");
}

/* It may have been reaped already by whoever waits for all children: then the pid is not ours. */
static void end_slirp(struct network *n)
{
	if (n->pid <= 0 || waitpid(n->pid, NULL, WNOHANG) != 0)
		return;
	kill(n->pid, SIGKILL);
	waitpid(n->pid, NULL, 0);
}

void network_close(struct network *n)
{
	if (!n)
		return;
	end_slirp(n);
	const int ours[] = { n->namespace_fd, n->netlink, n->ready_fd, n->alive_fd };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (ours[i] >= 0)
			close(ours[i]);
	}
	ranges_release(&n->permitted);
	free(n);
}

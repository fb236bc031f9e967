#include "runner/launch/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <uv.h>

#include "common/mem.h"
#include "common/strvec.h"

struct process {
	pid_t pid; /* 0: adopted */
	int pidfd;
	bool ended, closed;
	uv_poll_t watch; /* of pidfd */
	uv_pipe_t in;    /* our end of its standard input */
	uv_pipe_t out;   /* our end of its standard output */
	bool has_in, has_out, reading;
	int handles; /* initialised and not yet closed */
	int status;
	uv_write_t write;
	char *text; /* the document on its way */
	size_t text_len;
	void (*on_output)(struct str bytes, void *data);
	void (*on_end)(int status, void *data);
	void *data;
	char piece[4096];
};

/* ---- starting ---- */

/*
 * What a runner may see of our environment. Not all of it: secrets of the configuration may stand
 * in it (env:NAME). The sanitizers' options are for the tests.
 */
static const char *const environment[] = {
	"PATH",          "HOME",         "LANG",         "LC_ALL",       "TZ",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",   "https_proxy",  "HTTPS_PROXY",
	"no_proxy",      "NO_PROXY",     "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
};

static void environment_of_child(struct strvec *out)
{
	for (size_t i = 0; i < ARRAY_LEN(environment); i++) {
		const char *value = getenv(environment[i]);
		if (value)
			strvec_pushf(out, "%s=%s", environment[i], value);
	}
	if (!getenv("PATH"))
		strvec_push(out,
			    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The descriptors of a start: ours and the child's end of each pipe, all close-on-exec. */
struct ends {
	int in[2];  /* child reads [0] */
	int out[2]; /* child writes [1] */
	int err;
};

static void ends_close(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&e->in[i]);
		close_fd(&e->out[i]);
	}
	close_fd(&e->err);
}

/* No room for a process now is no reason to give a run up. */
static void refuse_start(struct err *err, int errnum, const char *program)
{
	bool later = errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;

	err_set_errno(err, later ? ERR_UNAVAILABLE : ERR_INTERNAL,
		      later ? "runner_lost" : "runner_missing", errnum, "cannot start %.200s",
		      program);
}

static int ends_open(struct ends *e, const struct process_opts *opts, struct err *err)
{
	const char *path = opts->err_path ? opts->err_path : "/dev/null";

	if (opts->err_path)
		unlink(opts->err_path); /* a new file: the old one may still have a writer */
	e->err = open(path, O_WRONLY | O_CLOEXEC | O_APPEND | (opts->err_path ? O_CREAT : 0), 0600);
	if (e->err < 0 || pipe2(e->in, O_CLOEXEC) < 0 ||
	    (opts->on_output && pipe2(e->out, O_CLOEXEC) < 0)) {
		refuse_start(err, errno, opts->program);
		ends_close(e);
		return -1;
	}
	return 0;
}

static int spawn(pid_t *pid, const struct ends *e, const struct process_opts *opts)
{
	const char *argv[] = { opts->program, opts->verb, NULL };
	struct strvec env = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, e->in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, e->out[1] >= 0 ? e->out[1] : e->err,
					 STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, e->err, STDERR_FILENO);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	environment_of_child(&env);
	int rc = posix_spawn(pid, opts->program, &actions, &attr, (char *const *)(void *)argv,
			     env.items);
	strvec_release(&env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* ---- the end ---- */

static void maybe_ended(struct process *p)
{
	if (!p->ended || p->reading || p->closed)
		return;
	void (*on_end)(int, void *) = p->on_end;
	p->on_end = NULL;
	if (on_end)
		on_end(p->status, p->data);
}

static void on_pidfd(uv_poll_t *watch, int status, int events)
{
	struct process *p = watch->data;
	(void)status, (void)events;

	uv_poll_stop(watch);
	p->ended = true;
	p->status = -1;
	if (p->pid > 0 && waitpid(p->pid, &p->status, WNOHANG) != p->pid)
		p->status = -1;
	maybe_ended(p);
}

static void on_closed(uv_handle_t *handle)
{
	struct process *p = handle->data;

	if (--p->handles > 0)
		return;
	close_fd(&p->pidfd);
	free(p);
}

void process_close(struct process *p)
{
	if (!p || p->closed)
		return;
	p->closed = true;
	p->on_end = NULL;
	uv_close((uv_handle_t *)&p->watch, on_closed);
	if (p->has_in)
		uv_close((uv_handle_t *)&p->in, on_closed);
	if (p->has_out)
		uv_close((uv_handle_t *)&p->out, on_closed);
	p->has_in = p->has_out = false;
}

/* ---- the pipes ---- */

static void close_in(struct process *p)
{
	if (!p->has_in)
		return;
	p->has_in = false;
	uv_close((uv_handle_t *)&p->in, on_closed);
}

static void on_fed(uv_write_t *write, int status)
{
	struct process *p = write->data;
	(void)status; /* a reader that is gone shows as the end of the process */

	explicit_bzero(p->text, p->text_len);
	free(p->text);
	p->text = NULL;
	close_in(p);
}

void process_feed(struct process *p, char *text, size_t len)
{
	uv_buf_t piece = uv_buf_init(text, (unsigned)len);

	p->text = text;
	p->text_len = len;
	p->write.data = p;
	if (!p->has_in || uv_write(&p->write, (uv_stream_t *)&p->in, &piece, 1, on_fed) < 0)
		on_fed(&p->write, -1);
}

static void lend_piece(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct process *p = handle->data;
	(void)suggested;

	*out = uv_buf_init(p->piece, sizeof p->piece);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *piece)
{
	struct process *p = stream->data;

	if (n > 0 && p->on_output)
		p->on_output((struct str){ piece->base, (size_t)n }, p->data);
	if (n >= 0)
		return;
	p->reading = false;
	p->has_out = false;
	uv_close((uv_handle_t *)stream, on_closed);
	maybe_ended(p);
}

static void open_pipe(struct process *p, uv_pipe_t *pipe, int *fd, bool *has)
{
	uv_pipe_init(p->watch.loop, pipe, 0);
	pipe->data = p;
	p->handles++;
	*has = true;
	uv_pipe_open(pipe, *fd); /* ours from here on, non-blocking */
	*fd = -1;
}

/* ---- life ---- */

static int watch(struct process **out, struct uv_loop_s *loop, pid_t pid, int pidfd,
		 const struct process_opts *opts, struct err *err)
{
	struct process *p = xnew(struct process);

	*p = (struct process){
		.pid = pid,
		.pidfd = pidfd,
		.on_output = opts->on_output,
		.on_end = opts->on_end,
		.data = opts->data,
	};
	int rc = uv_poll_init(loop, &p->watch, pidfd);
	if (rc < 0) {
		free(p);
		return err_set(err, ERR_UNAVAILABLE, "runner_lost", "cannot watch a process: %s",
			       uv_strerror(rc));
	}
	p->watch.data = p;
	p->handles = 1;
	uv_poll_start(&p->watch, UV_READABLE, on_pidfd);
	*out = p;
	return 0;
}

static int watch_child(struct process **out, struct uv_loop_s *loop, pid_t pid, struct ends *e,
		       const struct process_opts *opts, struct err *err)
{
	int pidfd = pidfd_open(pid, 0);

	if (pidfd < 0)
		err_set_errno(err, ERR_UNAVAILABLE, "runner_lost", errno,
			      "cannot watch the process %d", (int)pid);
	if (pidfd < 0 || watch(out, loop, pid, pidfd, opts, err) < 0) {
		close_fd(&pidfd);
		kill(pid, SIGKILL); /* it is our child and not yet reaped: this is the one meant */
		waitpid(pid, NULL, 0);
		return -1;
	}
	open_pipe(*out, &(*out)->in, &e->in[1], &(*out)->has_in);
	if (opts->on_output) {
		open_pipe(*out, &(*out)->out, &e->out[0], &(*out)->has_out);
		(*out)->reading = true;
		uv_read_start((uv_stream_t *)&(*out)->out, lend_piece, on_read);
	}
	return 0;
}

int process_start(struct process **out, struct uv_loop_s *loop, const struct process_opts *opts,
		  struct err *err)
{
	struct ends e = { { -1, -1 }, { -1, -1 }, -1 };
	pid_t pid;

	if (ends_open(&e, opts, err) < 0)
		return -1;
	int rc = spawn(&pid, &e, opts);
	if (rc != 0)
		refuse_start(err, rc, opts->program);
	else
		rc = watch_child(out, loop, pid, &e, opts, err);
	ends_close(&e);
	return rc == 0 ? 0 : -1;
}

int process_adopt(struct process **out, struct uv_loop_s *loop, int pidfd,
		  const struct process_opts *opts, struct err *err)
{
	if (watch(out, loop, 0, pidfd, opts, err) == 0)
		return 0;
	close(pidfd);
	return -1;
}

void process_hand_over(struct process *p, void (*on_end)(int status, void *data), void *data)
{
	p->on_end = on_end;
	p->data = data;
}

bool process_is_feeding(const struct process *p)
{
	return p->text != NULL;
}

bool process_is_alive(const struct process *p)
{
	struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

	return !p->ended && poll(&fd, 1, 0) == 0;
}

void process_signal(struct process *p, int signal)
{
	if (!p->ended)
		pidfd_send_signal(p->pidfd, signal, NULL, 0);
}

const char *process_end_text(char *out, size_t size, int status)
{
	if (status >= 0 && WIFEXITED(status))
		snprintf(out, size, "exited with status %d", WEXITSTATUS(status));
	else if (status >= 0 && WIFSIGNALED(status))
		snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "ended");
	return out;
}

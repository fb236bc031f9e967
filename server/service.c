#include "server/service.h"

#include <sys/stat.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"
#include "config/config.h"
#include "queue/queue.h"
#include "runner/launch/launcher.h"
#include "server/data_dir.h"
#include "server/http/http.h"
#include "server/log_follow.h"
#include "server/metrics.h"
#include "server/retention.h"
#include "server/routes.h"
#include "server/settings.h"
#include "server/specify.h"
#include "server/supervisor.h"
#include "server/tidy.h"

enum {
	BEAT_MS = 15000, /* proxies give a silent connection 30 s or more */
	RETENTION_MS = 60000,
};

/* ---- news, from the parts below to the parts above ---- */

static void on_ready(void *data)
{
	struct service *s = data;
	if (s->app.launcher)
		launcher_kick(s->app.launcher);
}

static void on_run(const char *run_id, enum run_status status, void *data)
{
	struct service *s = data;
	log_follow_wake(s->app.logs, run_id, run_status_is_terminal(status));
}

static void on_cancel(const char *run_id, void *data)
{
	struct service *s = data;
	if (s->app.launcher)
		launcher_cancel(s->app.launcher, run_id);
}

static void on_progress(const char *run_id, bool ended, void *data)
{
	struct service *s = data;

	log_follow_wake(s->app.logs, run_id, ended);
	if (ended)
		tidy_after_run(s->app.tidy);
}

/* ---- parts ---- */

/* systemd can keep the key sealed to the machine (LoadCredential=); else it lies in the folder. */
static int load_key(unsigned char key[SEAL_KEY_BYTES], const char *data_dir, struct err *err)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	cleanup_free char *own = fs_join(data_dir, "secret.key");
	cleanup_free char *given = credentials ? fs_join(credentials, "slipway.key") : NULL;

	return seal_key_load(key, given && fs_exists(given) ? given : own, err);
}

static int start_queue(struct service *s, struct err *err)
{
	const struct config *config = s->app.config;
	cleanup_free char *database = config_database_path(config);
	cleanup_free const char **registries = xcalloc(config->registries_len, sizeof(char *));
	unsigned char key[SEAL_KEY_BYTES];
	struct queue_opts opts = {
		.database = database,
		.key = key,
		.registries = registries,
		.registries_len = config->registries_len,
		.max_attempts = (int)config->run.max_attempts,
		.on_ready = on_ready,
		.on_run = on_run,
		.on_cancel = on_cancel,
		.data = s,
	};

	for (size_t i = 0; i < config->registries_len; i++)
		registries[i] = config->registries[i].name;
	if (load_key(key, s->data_dir, err) < 0)
		return -1;
	int rc = queue_open(&s->app.queue, &s->loop, &opts, err);
	explicit_bzero(key, sizeof key);
	return rc;
}

/* Beside this program, then in ../libexec/slipway; tests put another one in its place. */
static char *find_runner(void)
{
	const char *chosen = getenv("SLIPWAY_RUNNER");
	cleanup_free char *folder = fs_program_dir();
	char *beside = fs_join(folder, "slipway-runner");

	if (chosen && *chosen) {
		free(beside);
		return xstrdup(chosen);
	}
	if (fs_exists(beside))
		return beside;
	free(beside);
	return fs_join(folder, "../libexec/slipway/slipway-runner");
}

static int start_launcher(struct service *s, const char *runner, struct err *err)
{
	struct launcher_opts opts = {
		.runner_path = runner,
		.data_dir = s->data_dir,
		.max_running = (int)s->app.config->max_running,
		.grace_ms = s->app.config->run.grace_s * 1000,
		.specify = specify_run,
		.on_progress = on_progress,
		.data = s,
	};

	/* specify_run() wants the app, which is what a service begins with. */
	_Static_assert(offsetof(struct service, app) == 0, "the app is the service's first member");
	return launcher_create(&s->app.launcher, &s->loop, s->app.queue, &opts, err);
}

/* ---- listening ---- */

static int listen_inherited(struct service *s, int first, int n, struct err *err)
{
	for (int fd = first; fd < first + n; fd++) {
		if (http_listen_fd(s->app.http, fd, err) < 0)
			return -1;
	}
	return 0;
}

static bool is_unix_socket(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof address;

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       address.ss_family == AF_UNIX;
}

static int listen_everywhere(struct service *s, struct err *err)
{
	const struct config *config = s->app.config;
	cleanup_free char *path = fs_join(s->data_dir, "slipway.sock");
	int first, n = supervisor_sockets(&first);
	bool has_unix = false, has_tcp = false;

	for (int fd = first; fd < first + n; fd++)
		*(is_unix_socket(fd) ? &has_unix : &has_tcp) = true;
	if (listen_inherited(s, first, n, err) < 0 ||
	    (!has_unix && http_listen_unix(s->app.http, path, err) < 0))
		return -1;
	if (has_tcp || strcmp(config->listen, "none") == 0)
		return 0;
	return http_listen_tcp(s->app.http, config->listen, config->tls_certificate,
			       config->tls_key, err);
}

static int start_http(struct service *s, struct err *err)
{
	const struct config_limits *from = &s->app.config->limits;
	struct http_limits limits = {
		.head_bytes = (size_t)from->head_bytes,
		.head_lines = (size_t)from->head_lines,
		.head_timeout_ms = from->head_timeout_s * 1000,
		.body_timeout_ms = from->body_timeout_s * 1000,
	};

	if (http_server_create(&s->app.http, &s->loop, &limits, routes_dispatch, &s->app, err) < 0)
		return -1;
	return listen_everywhere(s, err);
}

/* ---- signals and timers ---- */

static void on_terminate(uv_signal_t *handle, int signal)
{
	struct service *s = handle->data;

	log_info("service.signal", "signal=%d", signal);
	if (s->state == SERVICE_RUNNING)
		service_drain(s);
	else
		service_close(s);
}

static void on_hangup(uv_signal_t *handle, int signal)
{
	struct service *s = handle->data;
	struct err err = { 0 };

	(void)signal;
	if (s->state != SERVICE_RUNNING)
		return;
	if (settings_reload(&s->app, &s->options, &err) < 0) {
		metrics_reload_failed(s->app.metrics);
		log_error("config.reload_failed", "word=%s error=\"%s\"", err.word, err.msg);
		return;
	}
	launcher_configure(s->app.launcher, (int)s->app.config->max_running,
			   s->app.config->run.grace_s * 1000);
	log_info("config.reloaded", "file=%s", s->app.config->file ? s->app.config->file : "none");
}

static void on_beat(uv_timer_t *timer)
{
	struct service *s = timer->data;
	log_follow_beat(s->app.logs);
}

static void start_handles(struct service *s)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb cb;
		int signal;
	} wanted[] = {
		{ &s->terminate, on_terminate, SIGTERM },
		{ &s->interrupt, on_terminate, SIGINT },
		{ &s->hangup, on_hangup, SIGHUP },
	};

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		uv_signal_init(&s->loop, wanted[i].handle);
		wanted[i].handle->data = s;
		uv_signal_start(wanted[i].handle, wanted[i].cb, wanted[i].signal);
	}
	uv_timer_init(&s->loop, &s->drain);
	uv_timer_init(&s->loop, &s->beat);
	s->drain.data = s->beat.data = s;
	s->has_handles = true;
}

/* ---- the start ---- */

static int start_parts(struct service *s, struct err *err)
{
	cleanup_free char *runner = find_runner();

	if (data_dir_open(&s->lock_fd, s->data_dir, err) < 0)
		return -1;
	random_bytes(s->app.upload_key, sizeof s->app.upload_key);
	s->app.logs = log_follow_create(s->data_dir);
	s->app.metrics = metrics_create();
	if (start_queue(s, err) < 0 || start_launcher(s, runner, err) < 0 || start_http(s, err) < 0)
		return -1;
	s->retention = retention_create(&s->app, RETENTION_MS);
	s->app.tidy = tidy_create(&s->app, runner);
	s->supervisor = supervisor_create(&s->loop);
	uv_timer_start(&s->beat, on_beat, BEAT_MS, BEAT_MS);
	return 0;
}

int service_start(struct service *s, const struct options *options, struct err *err)
{
	*s = (struct service){ .options = *options, .lock_fd = -1 };
	uv_loop_init(&s->loop);
	s->app.loop = &s->loop;
	if (settings_load(&s->app, options, err) < 0)
		return -1;
	s->data_dir = xstrdup(s->app.config->data_dir);
	s->app.data_dir = s->data_dir;
	start_handles(s);
	if (start_parts(s, err) < 0)
		return -1;

	const char *address = http_server_address(s->app.http);
	log_info("service.listening", "address=%s data_dir=\"%s\" pid=%d version=" SLIPWAY_VERSION,
		 address ? address : "none", s->data_dir, (int)getpid());
	supervisor_ready("serving");
	launcher_recover(s->app.launcher);
	return 0;
}

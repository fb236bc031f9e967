#include "runner/exec/health.h"

#include <git2/common.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/cgroup.h"
#include "runner/exec/check_line.h"
#include "runner/exec/engine.h"
#include "runner/exec/namespace.h"
#include "runner/exec/registry.h"

enum { REGISTRY_MS = 5000 };

static void check_isolation(struct buf *lines, const struct isolation *got)
{
	bool ok = got->pid && got->mount;

	check_line_add(
		lines, "isolation", ok,
		ok ? "each run has a PID and a mount namespace of its own" : got->why,
		ok ? NULL
		   : "runs fall back to a process group: what a build leaves behind is hunted, "
		     "not certain to be found. Run the service as root, or allow it namespaces.");
}

static void check_cgroups(struct buf *lines, const struct spec *spec)
{
	cleanup_free char *id = xasprintf("probe-%d", (int)getpid());
	struct cgroup_limits wanted = {
		.memory_bytes = spec->limits.memory_bytes,
		.pids = spec->limits.pids,
		.cpus = spec->limits.cpus,
	};
	cleanup_buf struct buf message = BUF_INIT;
	struct cgroup group;

	cgroup_make(&group, id, &wanted);
	bool ok = group.dirs.len > 0 && group.missing.len == 0;
	if (group.dirs.len == 0)
		buf_adds(&message, "no control group can be made");
	else if (group.missing.len)
		buf_adds(&message, "limits that cannot be kept:");
	else
		buf_addf(&message, "each run has a control group, in %zu hierarchies",
			 group.dirs.len);
	STRVEC_FOREACH (name, &group.missing)
		buf_addf(&message, " %s", *name);
	check_line_add(
		lines, "cgroup", ok, message.ptr,
		ok ? NULL
		   : "limits of run.memory_bytes, pids and cpus are not kept. Give the service "
		     "its control groups (Delegate=yes), or run it as root.");
	cgroup_release(&group);
	cgroup_remove(id, NULL);
}

static void check_git(struct buf *lines)
{
	cleanup_free char *message = NULL;
	int major, minor, patch;

	git_libgit2_version(&major, &minor, &patch);
	message = xasprintf("libgit2 %d.%d.%d", major, minor, patch);
	check_line_add(lines, "git", true, message, NULL);
}

static void check_registry(struct buf *lines, const struct exec *x,
			   const struct spec_registry *registry)
{
	cleanup_free char *name = xasprintf("registry %s", registry->name);
	cleanup_free char *good = xasprintf("%s answers%s", registry->login_server,
					    registry->username ? " and accepts the login" : "");
	struct err err = { 0 };
	bool ok = registry_ping(x, registry, REGISTRY_MS, &err) == 0;

	check_line_add(lines, name, ok, ok ? good : err.msg,
		       ok ? NULL
		       : err_is(&err, "registry_auth")
			       ? "Check username and password of this registry."
		       : err_is(&err, "tls")
			       ? "Check its certificate, or say insecure: true for plain http."
			       : "Check login_server, and that the registry runs.");
}

static void check_engine(struct buf *lines, const struct spec *spec)
{
	const struct engine_ops *engine = engine_find(spec->engine.kind);
	struct err err = { 0 };

	if (!engine)
		err_set(&err, ERR_INVALID, "engine_missing", "there is no engine %.40s",
			spec->engine.kind);
	if (!engine || engine->probe(spec, lines, &err) < 0)
		check_line_add(lines, "engine", false, err.msg,
			       "Check engine in the configuration.");
}

/* In namespaces, as a run is: the engine mounts, and must not mount on the host. */
static void check_inside(const struct spec *spec, const struct isolation *got)
{
	struct exec x = {
		.spec = *spec,
		.stop_fd = -1,
		.deadline_ms = INT64_MAX,
	};
	struct buf lines = BUF_INIT;

	check_isolation(&lines, got);
	check_cgroups(&lines, spec);
	check_engine(&lines, spec);
	check_git(&lines);
	for (size_t i = 0; i < spec->registries_len; i++)
		check_registry(&lines, &x, &spec->registries[i]);
	fs_write_all(STDOUT_FILENO, buf_str(&lines), NULL);
	buf_release(&lines);
}

int health_probe(const struct spec *spec)
{
	struct isolation got;
	siginfo_t info = { 0 };
	pid_t child = namespace_fork(&got, NULL);

	if (child < 0)
		return 1;
	if (child == 0) {
		check_inside(spec, &got);
		_exit(0);
	}
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	namespace_kill(child, &got);
	return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : 1;
}

#include "common/fs.h"
#include "common/json.h"
#include "common/scope.h"
#include "runner/exec/buildah.h"
#include "runner/exec/check_line.h"

enum { GIGABYTE = 1024 * 1024 * 1024, LOW_BYTES = 2 * (uint64_t)GIGABYTE };

static void check_data_folder(struct buf *out, const struct spec *s)
{
	cleanup_free char *folder = xasprintf("%s/engine", s->data_dir);
	cleanup_free char *file = xasprintf("%s/engine/probe.write", s->data_dir);
	cleanup_buf struct buf message = BUF_INIT;
	struct err err = { 0 };
	uint64_t free_bytes = 0;

	bool ok = fs_mkdirs(folder, 0700, &err) == 0 &&
		  fs_write_atomic(file, STR("x"), 0600, &err) == 0 &&
		  fs_free_bytes(folder, &free_bytes, &err) == 0;
	unlink(file);
	if (!ok) {
		check_line_add(out, "data-folder", false, err.msg,
			       "give the service a data_dir that it may write to");
		return;
	}
	buf_addf(&message, "%s can be written, %.1f GiB free", s->data_dir,
		 (double)free_bytes / GIGABYTE);
	check_line_add(out, "data-folder", free_bytes >= LOW_BYTES, message.ptr,
		       free_bytes >= LOW_BYTES
			       ? NULL
			       : "free some space: base images and layers need gigabytes");
}

/* " (crun: …; slirp4netns: …)": what was tried in vain before. */
static void add_notes(struct buf *message, const struct choice *c, const char *const *about,
		      size_t n)
{
	const char *before = " (not used: ";

	STRVEC_FOREACH (note, &c->notes) {
		for (size_t i = 0; i < n; i++) {
			if (!str_starts(str_from(*note), about[i]))
				continue;
			buf_addf(message, "%s%s", before, *note);
			before = "; ";
		}
	}
	if (strcmp(before, "; ") == 0)
		buf_addc(message, ')');
}

static void say_engine(struct buf *out, const struct spec *s, const struct choice *c)
{
	cleanup_free char *path = probe_engine_path(s);
	cleanup_free char *message = xasprintf("buildah %s (%s)", c->version, path);

	check_line_add(out, "engine", true, message, NULL);
}

static void say_storage(struct buf *out, const struct choice *c)
{
	static const char *const about[] = { "overlay: ", "vfs: " };
	bool fast = strcmp(c->driver, "overlay") == 0;
	cleanup_buf struct buf message = BUF_INIT;

	buf_addf(&message, "storage driver %s", c->driver);
	add_notes(&message, c, about, ARRAY_LEN(about));
	check_line_add(
		out, "engine-storage", fast, message.ptr,
		fast ? NULL
		     : "vfs copies every layer whole: put data_dir on ext4 or xfs, and not into a "
		       "container without its own volume");
}

static void say_isolation(struct buf *out, const struct choice *c)
{
	static const char *const about[] = { "crun: ", "runc: ", "/" };
	bool own = strcmp(c->isolation, "oci") == 0;
	cleanup_buf struct buf message = BUF_INIT;

	buf_addf(&message, "isolation %s%s%s", c->isolation, own ? " with " : "",
		 own ? c->runtime : "");
	add_notes(&message, c, about, ARRAY_LEN(about));
	check_line_add(
		out, "engine-isolation", own, message.ptr,
		own ? NULL
		    : "RUN steps see the host's network and the run's processes: install crun or "
		      "runc, and let the service make namespaces and control groups");
}

static void say_network(struct buf *out, const struct spec *s, const struct choice *c)
{
	static const char *const about[] = { "slirp4netns: " };
	static const struct {
		const char *kind, *message, *hint;
	} rows[] = {
		{ "slirp4netns",
		  "RUN steps have a network of their own (slirp4netns); the host, its loopback and "
		  "private addresses are out of their reach",
		  NULL },
		{ "none", "RUN steps have no network",
		  "install slirp4netns, so that they get one of their own" },
		{ "host", "RUN steps share the host's network, its loopback and private addresses",
		  "set engine.network to auto, with slirp4netns installed and isolation oci" },
	};
	cleanup_buf struct buf message = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].kind, c->network) != 0)
			continue;
		/* What the operator asked for is as it should be. */
		bool ok =
			!rows[i].hint || strcmp(probe_setting(s->engine.network), c->network) == 0;
		buf_adds(&message, rows[i].message);
		add_notes(&message, c, about, ARRAY_LEN(about));
		check_line_add(out, "network", ok, message.ptr, ok ? NULL : rows[i].hint);
	}
}

int buildah_probe(const struct spec *s, struct buf *json_lines, struct err *err)
{
	struct err failure = { 0 };
	struct choice c;

	(void)err; /* a failure is a line */
	check_data_folder(json_lines, s);
	if (probe_choose(&c, s, NULL, &failure) < 0) {
		bool missing = err_is(&failure, "engine_missing");
		check_line_add(
			json_lines, "engine", false, failure.msg,
			missing ? "install buildah, or set engine.path"
				: "install buildah with crun or runc, and run the service where "
				  "namespaces and mounts are permitted");
		return 0;
	}
	say_engine(json_lines, s, &c);
	say_storage(json_lines, &c);
	say_isolation(json_lines, &c);
	say_network(json_lines, s, &c);
	choice_release(&c);
	return 0;
}

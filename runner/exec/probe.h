/*
 * probe: what works on this machine. Found out by trying, once: a tiny static program of ours is
 * made an image FROM scratch and run, with each storage driver and each isolation and runtime in
 * turn until one works. Nothing is fetched from anywhere. The answer is kept in
 * data_dir/engine/probe.json until the machine restarts or one of the programs changes.
 */
#pragma once
#include "common/buf.h"
#include "common/err.h"
#include "common/strvec.h"
#include "runner/contract/spec.h"

struct exec;

struct choice {
	char *driver;        /* "overlay", "vfs" */
	char *isolation;     /* "oci", "chroot" */
	char *runtime;       /* absolute path; NULL with chroot */
	char *network;       /* "slirp4netns", "none", "host" */
	char *version;       /* "1.28.2" */
	struct strvec notes; /* what was tried before, and why it did not work: "crun: …" */
};

/*
 * From the cache, or by trying. `x` may be NULL (check-health). Words: "engine_unusable" with the
 * reasons, "canceled", "timeout", "disk_full", "storage".
 */
int probe_choose(struct choice *out, const struct spec *s, const struct exec *x, struct err *err);
void choice_release(struct choice *c);

/* A value of spec.engine; "auto" when it is not set. */
const char *probe_setting(const char *configured);
/* The path of the engine's program, engine.path or buildah. Owned by the caller. */
char *probe_engine_path(const struct spec *s);
/* The path of a program: itself when absolute, else searched where system programs are; or NULL. */
char *probe_find_program(const char *name);

/* All lines of check-health (engine_ops.probe). */
int buildah_probe(const struct spec *s, struct buf *json_lines, struct err *err);

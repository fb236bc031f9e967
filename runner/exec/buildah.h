/*
 * buildah: one use of the buildah program: its private folders, files and environment, so that
 * nothing of the host's configuration and nothing of its default store is read or written.
 *
 *   struct buildah b;
 *   buildah_prepare(&b, &opts, err);
 *   struct strvec argv = { 0 };
 *   buildah_argv(&b, &argv, "push");
 *   strvec_push(&argv, …);
 *   child_run(…, .argv = argv.items, .envp = b.env.items, …);
 *   buildah_release(&b);
 *
 * Shared by all runs, below data_dir/engine/: storage/ (images, layers), cache/ (which registry has
 * which layer). Private, below `dir`: everything else, on a tmpfs where mounts are permitted, since
 * it holds the logins of the registries; and `dir`-tmp for what may become large.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/strvec.h"
#include "runner/contract/spec.h"
#include "runner/exec/dockerfile.h"
#include "runner/exec/engine.h"
#include "runner/exec/network.h"
#include "runner/exec/probe.h"

struct buildah_opts {
	const struct spec *spec;
	const char *dir;    /* of this use; made here, removed by buildah_release() */
	const char *root;   /* of the store */
	const char *driver; /* "overlay", "vfs" */
};

struct buildah {
	char *program;
	char *dir, *tmp, *root, *driver;
	bool mounted; /* `dir` is a tmpfs */
	struct strvec env;
};

/* Words: "storage", "disk_full". */
int buildah_prepare(struct buildah *out, const struct buildah_opts *opts, struct err *err);
void buildah_release(struct buildah *b);
/* The program, its options for store and configuration, the verb. */
void buildah_argv(const struct buildah *b, struct strvec *argv, const char *verb);
/* How RUN is carried out: --isolation, --runtime, --cgroup-parent, --network. */
void buildah_run_args(const struct buildah *b, struct strvec *argv, const struct choice *choice,
		      const char *cgroup_name, const struct network *network);
/* data_dir/engine/NAME. Owned by the caller. */
char *buildah_shared(const struct spec *s, const char *name);
/* What the engine is told of control groups, for a run whose group has this name (cgroup.h). Owned
 * by the caller. */
char *buildah_cgroup(const char *cgroup_name);
/* "cannot start" and its like become "engine_unusable"; other errors stay. Returns -1. */
int buildah_start_failed(struct err *err);
/* A file that buildah wrote: 64 hexadecimal digits, perhaps with "sha256:" before them. */
int buildah_read_digest(char **out, const struct buildah *b, const char *name, struct err *err);
/* Blot out the run's secrets in a message that quotes the engine. */
void buildah_hide_secrets(const struct spec *s, struct err *err);

/* An engine of kind "buildah": one run's. */
struct engine {
	struct exec *x;
	struct buildah b;
	struct choice choice;
	char *cgroup;   /* name of the run's control group */
	char *image_id; /* of the build, 64 hexadecimal digits; NULL before */
};

extern const struct engine_ops buildah_ops;

int buildah_build(struct engine *e, const struct engine_build *b, struct err *err);
int buildah_push(struct engine *e, const char *image, char **digest, struct err *err);
int buildah_sweep(const struct spec *s, struct err *err);

/*
 * Control groups that the OCI runtime would make by itself in hierarchies where the run has none
 * yet. Made and removed by us, so that no run removes the parent of another one's.
 */
void buildah_cgroups_make(const char *cgroup_name);
void buildah_cgroups_remove(const char *cgroup_name);

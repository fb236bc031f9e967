/*
 * engine: what builds and pushes images. One file per kind, one row in engine.c's table. The
 * interface is shaped so that a Docker Engine over its API (which takes a tar stream of the
 * context folder and pushes by name) fits as well as buildah.
 */
#pragma once
#include "runner/exec/exec.h"

struct engine;

struct engine_build {
	const char *context_dir;
	const char *dockerfile;      /* absolute; may lie outside the context */
	const struct strvec *images; /* full references, "registry/repository:tag" */
	const struct build *options; /* arguments, target, platform, no_cache */
};

struct engine_ops {
	const char *kind; /* "buildah" */
	int (*open)(struct engine **out, struct exec *x, struct err *err);
	/* Words: build_failed, dockerfile_invalid, base_image_*, engine_*, disk_full, build_killed
	 * … */
	int (*build)(struct engine *e, const struct engine_build *b, struct err *err);
	/* One attempt; the caller retries. *digest ("sha256:…", the caller's) is what the engine
	 * says it pushed. */
	int (*push)(struct engine *e, const char *image, char **digest, struct err *err);
	void (*close)(struct engine *e);
	/* Remove what a run left behind, by its id: working containers, temporary images, cgroups.
	 */
	int (*sweep)(const struct spec *s, struct err *err);
	/* Append check lines {"name","ok","message","hint"} for check-health. */
	int (*probe)(const struct spec *s, struct buf *json_lines, struct err *err);
};

const struct engine_ops *engine_find(const char *kind); /* or NULL */

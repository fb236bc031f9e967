/*
 * buildah_errors: what buildah's end means: a stable word and one sentence that helps.
 *
 * Looked at, in this order: how the process ended, then its last words, the "Error: …" line that it
 * prints before it exits. Nothing else of the output is read: a build can print what it likes, and
 * text that looks like ours changes no more than the wording of its own failure.
 */
#pragma once
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"
#include "runner/exec/child.h"
#include "runner/exec/dockerfile.h"

enum buildah_phase { BUILDAH_BUILD = 1, BUILDAH_PUSH = 2 };

struct buildah_end {
	enum buildah_phase phase;
	struct child_result result;
	struct str tail;                     /* the end of what it printed */
	const struct dockerfile *dockerfile; /* of a build, for line numbers; or NULL */
	int64_t memory_bytes;                /* the run's limit, for the message; 0: none */
};

/*
 * Fill *err for an end that was no success; returns -1.
 *
 * Build: "build_failed", "build_killed", "dockerfile_invalid", "target_not_found",
 * "base_image_not_found", "base_image_denied", "base_image_unreachable". Push: "registry_auth",
 * "registry_denied", "registry_unreachable", "registry_protocol". Either: "tls", "disk_full",
 * "engine_failed", "builder_crash". ERR_UNAVAILABLE: trying again may help.
 */
int buildah_explain(const struct buildah_end *end, struct err *err);

/*
 * probe: `slipway-runner probe`, one at a time: whoever asks while it is under way gets the same
 * answer. The server links no engine and no git; what a run needs is for the runner to say.
 */
#pragma once
#include "runner/launch/launcher.h"

struct uv_loop_s;
struct probe;

struct probe *probe_create(struct uv_loop_s *loop, const char *program); /* program: borrowed */
void probe_ask(struct probe *p, const struct spec *spec, launcher_probe_cb cb, void *data);
/* Who still waits is told that it was canceled; `closed` (or NULL) comes after that. */
void probe_close(struct probe *p, void (*closed)(void *data), void *data);

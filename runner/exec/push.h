/*
 * push: the images of a run into their registries, behind the fence.
 *
 * The runner says push-wanted and waits until the server grants it (compare-and-set on the run's
 * row): so a run that was canceled or replaced never moves a tag. While no server runs, it waits.
 */
#pragma once
#include "runner/exec/engine.h"
#include "runner/exec/images.h"

/*
 * Each image is pushed (three attempts when another one may help), read back from the registry,
 * compared, and reported. When the run is canceled or times out during a push, the registry is
 * asked until two reads a second apart agree: the image there after all is 0 for it.
 * Words: those of the engine and of registry.h, "registry_digest", "canceled", "timeout".
 */
int push_images(struct exec *x, struct engine *engine, const struct engine_ops *ops,
		const struct image_names *names, struct err *err);

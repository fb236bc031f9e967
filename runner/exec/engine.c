#include "runner/exec/engine.h"

#include "runner/exec/buildah.h"

/* One row an engine. */
static const struct engine_ops *const engines[] = { &buildah_ops };

const struct engine_ops *engine_find(const char *kind)
{
	for (size_t i = 0; kind && i < ARRAY_LEN(engines); i++) {
		if (strcmp(engines[i]->kind, kind) == 0)
			return engines[i];
	}
	return NULL;
}

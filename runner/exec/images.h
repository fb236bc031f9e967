/*
 * images: the names under which a run's image is pushed.
 */
#pragma once
#include "model/image.h"
#include "runner/exec/exec.h"

struct image_names {
	struct image *items; /* registry, repository and tag are set */
	size_t len;
	struct strvec texts; /* the same as "registry/repository:tag", without duplicates */
};

/*
 * Expand the variables of the specification's image names (model/vars.h) with what fetching found.
 * A name without a registry goes to the run's; one without a tag gets "latest".
 * Words: "variable_invalid", "image_invalid", "registry_missing".
 */
int image_names_make(struct image_names *out, const struct exec *x, const struct source *source,
		     struct err *err);
void image_names_release(struct image_names *names);

/* Expand the same variables in any text, such as a build argument. Owned by the caller. */
int image_vars_expand(char **out, const struct exec *x, const struct source *source,
		      const char *text, struct err *err);

/* The registry with this login server, or NULL: then there are no credentials for it. */
const struct spec_registry *spec_registry_at(const struct spec *spec, const char *login_server);

#include "runner/exec/images.h"

#include <sys/utsname.h>

#include "common/clock.h"
#include "common/scope.h"
#include "model/vars.h"

/* ---- what the variables stand for ---- */

static const struct spec_registry *registry_named(const struct spec *spec, const char *name)
{
	for (size_t i = 0; name && i < spec->registries_len; i++) {
		if (strcmp(spec->registries[i].name, name) == 0)
			return &spec->registries[i];
	}
	return NULL;
}

const struct spec_registry *spec_registry_at(const struct spec *spec, const char *login_server)
{
	for (size_t i = 0; login_server && i < spec->registries_len; i++) {
		if (strcmp(spec->registries[i].login_server, login_server) == 0)
			return &spec->registries[i];
	}
	return NULL;
}

/* "20240131-120000z" from "2024-01-31T12:00:00.000Z". */
static char *tag_date(void)
{
	char when[CLOCK_TEXT_BYTES];

	clock_format(when, clock_now_ms());
	return xasprintf("%.4s%.2s%.2s-%.2s%.2s%.2sz", when, when + 5, when + 8, when + 11,
			 when + 14, when + 17);
}

/* A branch may hold what a tag may not. */
static char *tag_safe(const char *branch)
{
	char *safe = xstrdup(branch ? branch : "");

	for (char *p = safe; *p; p++) {
		bool fits = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9') || *p == '_' || *p == '.' || *p == '-';
		if (!fits)
			*p = '-';
	}
	return safe;
}

static const char *host_architecture(void)
{
	static const struct {
		const char *machine, *architecture;
	} table[] = {
		{ "x86_64", "amd64" },    { "aarch64", "arm64" },   { "armv7l", "arm" },
		{ "i686", "386" },        { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
		{ "riscv64", "riscv64" },
	};
	static struct utsname host;

	uname(&host);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(table[i].machine, host.machine) == 0)
			return table[i].architecture;
	}
	return host.machine;
}

static int expand(struct buf *out, const struct exec *x, const struct source *source,
		  const char *text, struct err *err)
{
	const struct spec *spec = &x->spec;
	const struct spec_registry *registry = registry_named(spec, spec->registry_name);
	cleanup_free char *date = tag_date(), *branch = tag_safe(source->branch);
	struct vars vars = {
		.run_id = spec->run_id,
		.registry = registry ? registry->login_server : "",
		.registry_name = spec->registry_name ? spec->registry_name : "",
		.date = date,
		.commit = source->commit ? source->commit : "",
		.branch = branch,
		.git_tag = source->git_tag ? source->git_tag : "",
		.task = spec->task ? spec->task : "",
		.os = spec->build.platform.os ? spec->build.platform.os : "linux",
		.architecture = spec->build.platform.architecture
					? spec->build.platform.architecture
					: host_architecture(),
	};

	return vars_expand(out, &vars, str_from(text), err);
}

int image_vars_expand(char **out, const struct exec *x, const struct source *source,
		      const char *text, struct err *err)
{
	struct buf expanded = BUF_LIMIT(64 * 1024);

	if (expand(&expanded, x, source, text, err) < 0) {
		buf_release(&expanded);
		return -1;
	}
	*out = buf_detach(&expanded);
	return 0;
}

/* ---- names ---- */

static int complete(struct image *image, const struct exec *x, struct err *err)
{
	const struct spec_registry *own = registry_named(&x->spec, x->spec.registry_name);

	if (!image->registry && !own)
		return err_set(err, ERR_INVALID, "registry_missing",
			       "the image %s names no registry and none is configured for the run",
			       image->repository);
	if (!image->registry)
		image->registry = xstrdup(own->login_server);
	if (!image->tag)
		image->tag = xstrdup("latest");
	return 0;
}

static int add_name(struct image_names *names, const struct exec *x, const struct source *source,
		    const char *template, struct err *err)
{
	cleanup_free char *name = NULL;
	struct image image = { 0 };

	if (image_vars_expand(&name, x, source, template, err) < 0 ||
	    image_parse(&image, str_from(name), err) < 0)
		return -1;
	if (complete(&image, x, err) < 0) {
		image_release(&image);
		return -1;
	}
	char *text = image_text(&image);
	if (strvec_find(&names->texts, text) >= 0) {
		free(text);
		image_release(&image);
		return 0;
	}
	strvec_push_take(&names->texts, text);
	names->items = xreallocarray(names->items, names->len + 1, sizeof *names->items);
	names->items[names->len++] = image;
	return 0;
}

int image_names_make(struct image_names *out, const struct exec *x, const struct source *source,
		     struct err *err)
{
	struct image_names names = { 0 };

	STRVEC_FOREACH (template, &x->spec.build.images) {
		if (add_name(&names, x, source, *template, err) < 0) {
			image_names_release(&names);
			return -1;
		}
	}
	*out = names;
	return 0;
}

void image_names_release(struct image_names *names)
{
	for (size_t i = 0; i < names->len; i++)
		image_release(&names->items[i]);
	free(names->items);
	strvec_release(&names->texts);
	*names = (struct image_names){ 0 };
}

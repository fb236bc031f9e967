#include "model/platform.h"

#include "common/json.h"

static const char *const systems[] = { "linux", "windows", NULL };
static const char *const architectures[] = { "amd64", "x86", "386", "arm", "arm64", NULL };
static const char *const variants[] = { "v6", "v7", "v8", NULL };

static const char *canonical(const char *const *names, struct str text)
{
	for (; *names; names++)
		if (str_is_i(text, *names))
			return *names;
	return NULL;
}

static int refuse(struct err *err, const char *path, const char *what, struct str got,
		  const char *right)
{
	return err_set(err, ERR_INVALID, "platform_invalid", "%s%s%s '%.*s' is not known: %s", path,
		       *path ? "." : "", what, (int)(got.len > 100 ? 100 : got.len), got.ptr,
		       right);
}

/* Each part may be empty: not said. */
static int assemble(struct platform *out, struct str os, struct str architecture,
		    struct str variant, const char *path, struct err *err)
{
	const char *o = canonical(systems, os);
	const char *a = canonical(architectures, architecture);
	const char *v = canonical(variants, variant);

	if (!o && (os.len || architecture.len || variant.len))
		return refuse(err, path, "os", os, "use linux or windows");
	if (!a && (architecture.len || variant.len))
		return refuse(err, path, "architecture", architecture,
			      "use amd64, x86, 386, arm or arm64");
	if (!v && variant.len)
		return refuse(err, path, "variant", variant, "use v6, v7 or v8");
	if (v && strncmp(a, "arm", 3) != 0)
		return refuse(err, path, "variant", variant, "only arm and arm64 have variants");
	*out = (struct platform){ xstrdup(o), xstrdup(a), xstrdup(v) };
	return 0;
}

int platform_parse(struct platform *out, struct str text, struct err *err)
{
	struct str rest = text, os = { 0 }, architecture = { 0 }, variant = { 0 };

	str_split(&rest, '/', &os);
	if (str_split(&rest, '/', &architecture))
		str_split(&rest, '/', &variant);
	if (os.len == 0 || rest.len || str_ends(text, "/"))
		return err_set(err, ERR_INVALID, "platform_invalid",
			       "'%.*s' is no platform: use OS/ARCHITECTURE[/VARIANT], for example "
			       "linux/arm64/v8",
			       (int)(text.len > 100 ? 100 : text.len), text.ptr);
	return assemble(out, os, architecture, variant, "", err);
}

int platform_from_json(struct platform *out, const json_t *object, const char *path,
		       struct err *err)
{
	const char *os = NULL, *architecture = NULL, *variant = NULL;

	if (json_opt_string(object, path, "os", &os, err) < 0 ||
	    json_opt_string(object, path, "architecture", &architecture, err) < 0 ||
	    json_opt_string(object, path, "variant", &variant, err) < 0)
		return -1;
	return assemble(out, str_from(os), str_from(architecture), str_from(variant), path, err);
}

json_t *platform_to_json(const struct platform *p)
{
	if (!p->os)
		return NULL;
	json_t *object = json_object();
	json_put_string(object, "os", p->os);
	json_put_string(object, "architecture", p->architecture);
	json_put_string(object, "variant", p->variant);
	return object;
}

char *platform_text(const struct platform *p)
{
	if (!p->os)
		return NULL;
	const char *a = p->architecture ? p->architecture : platform_host_architecture();
	if (strcmp(a, "x86") == 0)
		a = "386";
	return xasprintf("%s/%s%s%s", p->os, a, p->variant ? "/" : "",
			 p->variant ? p->variant : "");
}

const char *platform_host_architecture(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#elif defined(__arm__)
	return "arm";
#elif defined(__i386__)
	return "386";
#else
#error "which of ACR's architectures is this machine?"
#endif
}

void platform_copy(struct platform *to, const struct platform *from)
{
	struct platform copy = { xstrdup(from->os), xstrdup(from->architecture),
				 xstrdup(from->variant) };
	platform_release(to);
	*to = copy;
}

void platform_release(struct platform *p)
{
	if (!p)
		return;
	free(p->os);
	free(p->architecture);
	free(p->variant);
	*p = (struct platform){ 0 };
}

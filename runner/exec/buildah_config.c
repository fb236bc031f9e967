#include "runner/exec/buildah_config.h"

#include <openssl/crypto.h>

#include "common/crypto.h"
#include "common/json.h"
#include "common/scope.h"

/* A TOML basic string. */
static void add_toml(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_addf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			buf_addf(out, "\\u%04x", *p);
		else
			buf_addc(out, (char)*p);
	}
	buf_addc(out, '"');
}

static void add_setting(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "%s = ", key);
	add_toml(out, value);
	buf_addc(out, '\n');
}

void buildah_registries_conf(struct buf *out, const struct spec *s)
{
	buf_adds(out, "unqualified-search-registries = [\"docker.io\"]\n"
		      "short-name-mode = \"disabled\"\n");
	for (size_t i = 0; i < s->registries_len; i++) {
		if (!s->registries[i].insecure)
			continue;
		buf_adds(out, "[[registry]]\n");
		add_setting(out, "location", s->registries[i].login_server);
		buf_adds(out, "insecure = true\n");
	}
}

void buildah_containers_conf(struct buf *out, const char *network_dir)
{
	buf_adds(out, "[containers]\nbase_hosts_file = \"none\"\n[network]\n");
	add_setting(out, "network_config_dir", network_dir);
}

void buildah_storage_conf(struct buf *out, const char *driver, const char *root,
			  const char *runroot)
{
	buf_adds(out, "[storage]\n");
	add_setting(out, "driver", driver);
	add_setting(out, "graphroot", root);
	add_setting(out, "runroot", runroot);
}

void buildah_policy(struct buf *out)
{
	buf_adds(out, "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}\n");
}

/* "user:password" in base 64, wiped behind us. */
static char *basic_login(const struct spec_registry *r)
{
	cleanup_buf struct buf plain = BUF_INIT;

	buf_reserve(&plain, strlen(r->username) + r->password.len + 1); /* no copies left behind */
	buf_addf(&plain, "%s:%s", r->username, secret_reveal(&r->password));
	char *coded = base64_encode(buf_str(&plain));
	OPENSSL_cleanse(plain.ptr, plain.len);
	return coded;
}

static void add_json_string(struct buf *out, const char *text)
{
	cleanup_json json_t *value = json_string(text);
	cleanup_free char *quoted = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	buf_adds(out, quoted ? quoted : "\"\"");
}

void buildah_auth(struct buf *out, const struct spec *s)
{
	const char *comma = "";
	size_t room = 64;

	for (size_t i = 0; i < s->registries_len; i++)
		room += 256 + 6 * (strlen(s->registries[i].login_server) +
				   strlen(s->registries[i].username ?: "") +
				   s->registries[i].password.len);
	buf_reserve(out, room); /* growing would leave copies behind */
	buf_adds(out, "{\"auths\":{");
	for (size_t i = 0; i < s->registries_len; i++) {
		const struct spec_registry *r = &s->registries[i];
		if (!r->username || !secret_is_set(&r->password))
			continue;
		char *login = basic_login(r);
		buf_adds(out, comma);
		add_json_string(out, r->login_server);
		buf_addf(out, ":{\"auth\":\"%s\"}", login);
		OPENSSL_cleanse(login, strlen(login));
		free(login);
		comma = ",";
	}
	buf_adds(out, "}}\n");
}

bool buildah_env_is_free(const char *name)
{
	static const char *const names[] = {
		"PATH",        "HOME",
		"USER",        "LOGNAME",
		"TMPDIR",      "TZ",
		"container",   "REGISTRY_AUTH_FILE",
		"HTTP_PROXY",  "HTTPS_PROXY",
		"NO_PROXY",    "ALL_PROXY",
		"FTP_PROXY",   "NOTIFY_SOCKET",
		"HOSTALIASES", "LOCALDOMAIN",
		"RES_OPTIONS", "TZDIR",
		"LOCPATH",     "NLSPATH",
	};
	static const char *const prefixes[] = {
		"XDG_",        "CONTAINER", "_",       "STORAGE_",  "BUILDAH_",   "PODMAN_",
		"LIBPOD_",     "DOCKER_",   "GODEBUG", "GOGC",      "GOMAXPROCS", "GOMEMLIMIT",
		"GOTRACEBACK", "GORACE",    "GOCOVER", "SSL_CERT_", "LD_",        "LC_",
		"MALLOC_",     "GLIBC_",    "GCONV_",  "CNI_",      "NETAVARK_",  "LISTEN_",
		"SUDO_",       "DBUS_",     "SSH_",    "GNUPG",     "GPG_",
	};
	struct str s = str_from(name);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is_i(s, names[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_starts(s, prefixes[i]))
			return false;
	}
	return true;
}

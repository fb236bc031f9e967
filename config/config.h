/*
 * config: the configuration file, as values.
 *
 *   struct config c;
 *   if (config_load(&c, path_or_null, &err) < 0) …     the whole file is right, or nothing is set
 *   if (config_override(&c, data_dir, listen, &err) < 0) …       --data-dir and --listen
 *   config_release(&c);
 *
 * One table (keys.c) says what each key is called, where its value goes, its default and range,
 * and what it means; reading, checking, `config print` and docs/configuration.md all walk it.
 * A message begins with FILE:LINE:COLUMN and the key's path, and says what would be right.
 *
 * Words: "config" (the file cannot be read), "config_unknown_key", "config_invalid" (a value),
 * "config_perm" (others can read a secret), "config_secret" (a secret cannot be had),
 * "config_listen", "config_insecure", "config_tls", and those of yaml.h.
 *
 * Reload: load a second struct and swap, so that a bad file changes nothing.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"
#include "common/strvec.h"

struct cidr;

/* `*_from` beside a secret says where it came from, for config_print(): "file:…" or "env:…". */
struct config_registry {
	char *name;
	char *login_server; /* host[:port]; NULL for the implicit registry "default" */
	bool insecure;      /* plain HTTP */
	char *username;     /* NULL: no login */
	struct secret password;
	char *password_from;
};

struct config_webhook {
	char *name; /* POST /webhooks/<name> */
	char *provider;
	struct secret *secrets; /* 1 or more, or passwords */
	size_t secrets_len;
	struct strvec secrets_from;
	char *username; /* that goes with the passwords; NULL: any */
	struct secret *passwords;
	size_t passwords_len;
	struct strvec passwords_from;
	char *header; /* whose value is one of the secrets; NULL: they sign */
};

struct config_git_credential {
	char *url;      /* prefix: "https://host/path/" */
	char *username; /* NULL: the server's habit, or what the token says before a ':' */
	struct secret token;
	char *token_from;
	bool submodules; /* also for submodules of repositories that lie elsewhere */
};

struct config_git {
	struct cidr *allow_private_addresses;
	size_t allow_private_addresses_len;
	struct strvec allow_schemes;
	uint16_t *allow_ports; /* beside the scheme's own */
	size_t allow_ports_len;
	struct strvec submodule_hosts; /* beside that of the repository */
	struct config_git_credential *credentials;
	size_t credentials_len;
	struct strvec credential_command; /* argv; empty: none */
};

struct config_engine {
	char *kind, *path, *isolation, *runtime, *network, *pull;
};

struct config_run {
	int64_t timeout_s, grace_s, max_attempts;
	int64_t memory_bytes, pids; /* 0: no limit */
	double cpus;                /* 0: no limit */
};

struct config_limits {
	int64_t head_bytes, head_lines, head_timeout_s, body_timeout_s;
	int64_t webhook_body_bytes, json_depth, json_nodes;
	int64_t api_body_bytes, batch_ids;
	int64_t upload_bytes, upload_expanded_bytes, upload_ratio, upload_entries;
	int64_t task_file_bytes, ignore_bytes, ignore_rules, dockerfile_bytes;
	int64_t git_bytes, git_objects, git_object_bytes, git_entries, git_depth;
	int64_t git_stall_s, git_timeout_s;
	int64_t log_bytes, log_line_bytes;
};

struct config_retention {
	int64_t runs_days, log_bytes, git_bytes, min_free_bytes;
};

struct config {
	char *file;     /* that was read, absolute; NULL: none, all defaults */
	char *data_dir; /* absolute */
	char *listen;   /* "ADDR:PORT", "[V6]:PORT", or "none" */
	bool listen_insecure;
	char *base_url;                  /* without a slash at its end; NULL: not told */
	char *tls_certificate, *tls_key; /* both or neither; absolute */
	char *database;                  /* "sqlite:FILE": config_database_path() */
	int64_t max_running;
	char *default_registry;
	struct config_registry *registries; /* 1 or more */
	size_t registries_len;
	struct config_webhook *webhooks;
	size_t webhooks_len;
	struct config_git git;
	struct config_engine engine;
	struct config_run run;
	struct config_limits limits;
	struct config_retention retention;
};

/*
 * Read `path`; or when it is NULL the first of $SLIPWAY_CONFIG, /etc/slipway/slipway.yaml (root)
 * and $XDG_CONFIG_HOME/slipway/slipway.yaml that there is; without any, the defaults. *out is
 * released with config_release(). It opens the files of secrets and certificates, no sockets.
 */
int config_load(struct config *out, const char *path, struct err *err);

/* Only the defaults: for tests, and for programs that need no file. */
void config_defaults(struct config *out);

/*
 * What the command line says instead of the file; NULL leaves a value. `data_dir` may be relative
 * to the working directory. Port 0, which takes a free one, can only be asked for here.
 */
int config_override(struct config *c, const char *data_dir, const char *listen, struct err *err);

void config_release(struct config *c); /* leaves it zeroed; zeroed is fine */

/* By name without case, or NULL. */
const struct config_registry *config_registry(const struct config *c, struct str name);
/* Never NULL after config_load() or config_defaults(). */
const struct config_registry *config_default_registry(const struct config *c);
/* Where the SQLite file is, absolute. Owned by the caller. */
char *config_database_path(const struct config *c);

/* The configuration in force as YAML that config_load() reads, but for "(literal)" secrets. */
void config_print(const struct config *c, struct buf *out);
/* docs/configuration.md. */
void config_document(struct buf *out);

/*
 * spec: what a runner is told, as one JSON document on its standard input. It holds secrets and is
 * never on disk. Version 1; a runner refuses another one.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "model/address.h"
#include "model/build.h"

enum { SPEC_VERSION = 1 };

struct spec_registry {
	char *name, *login_server;
	bool insecure;
	char *username; /* or NULL */
	struct secret password;
};

/* A token for the repositories below a URL, and for nothing else (context/url_scope.h). */
struct spec_git_credential {
	char *url;           /* "https://host/acme/" */
	char *username;      /* or NULL: the server's habit */
	struct secret token; /* unset: there is none */
	bool is_answer; /* of the command, which a runner notes here: for this very URL alone */
};

struct spec_engine {
	char *kind;      /* "buildah" */
	char *path;      /* program */
	char *isolation; /* "auto", "oci", "chroot" */
	char *runtime;   /* "auto", "crun", "runc", a path */
	char *network;   /* "auto", "slirp4netns", "none", "host" */
	char *pull;      /* "newer", "always", "missing", "never" */
};

struct spec_limits {
	int64_t upload_expanded_bytes, upload_ratio, upload_entries;
	int64_t ignore_bytes, ignore_rules, dockerfile_bytes;
	int64_t git_bytes, git_objects, git_object_bytes, git_entries, git_depth, git_stall_ms,
		git_timeout_ms;
	int64_t log_bytes, log_line_bytes;
	int64_t memory_bytes, pids; /* of the run's cgroup; 0: no limit */
	double cpus;                /* 0: no limit */
};

struct spec {
	char *run_id;
	int attempt;
	char *data_dir;      /* absolute; the run directory is data_dir/runs/run_id */
	char *task;          /* or NULL */
	int64_t deadline_ms; /* wall clock, ms since 1970: the end of the run's time */
	int64_t timeout_ms;  /* the run's whole time, for the message */
	int64_t grace_ms;
	struct build build;
	char *registry_name; /* of the run; its login server is the default for images without one
			      */
	struct spec_registry *registries;
	size_t registries_len;
	struct spec_engine engine;
	struct cidr *allow_addresses; /* private ranges that git and archives may reach */
	size_t allow_addresses_len;
	struct strvec allow_schemes;
	uint16_t *allow_ports; /* of named hosts, beside the scheme's own */
	size_t allow_ports_len;
	struct strvec submodule_hosts; /* that submodules may come from, beside the repository's */
	struct spec_git_credential *git_credentials;
	size_t git_credentials_len;
	struct strvec git_credential_command; /* argv, for URLs without one; may be empty */
	struct spec_limits limits;
};

json_t *spec_to_json(const struct spec *s);
int spec_from_json(struct spec *out, const json_t *object,
		   struct err *err); /* word "spec_invalid" */
void spec_release(struct spec *s);

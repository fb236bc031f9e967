#include "config/keys.h"

#include "config/check.h"
#include "config/config.h"

#define AT(field)       .offset = offsetof(struct config, field)
#define IN(type, field) .offset = offsetof(struct type, field)
#define RANGE(a, b)     .min = (a), .max = (b)

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)
#define DAY INT64_C(86400)

static const char *const provider_names[] = { "github", "azure-repos", "gitlab", "gitea", NULL };
static const char *const engine_kinds[] = { "buildah", NULL };
static const char *const isolations[] = { "auto", "oci", "chroot", NULL };
static const char *const networks[] = { "auto", "slirp4netns", "none", "host", NULL };
static const char *const pulls[] = { "newer", "always", "missing", "never", NULL };
static const char *const schemes[] = { "https", "http", "git", "ssh", NULL };

static const struct key tls_keys[] = {
	{ "certificate", KEY_PATH, AT(tls_certificate),
	  .help = "PEM file with the certificate and the chain behind it." },
	{ "key", KEY_PATH, AT(tls_key), .help = "PEM file with its private key, mode 0600." },
	{ 0 },
};

static const struct key registry_keys[] = {
	{ "name", KEY_TEXT, .required = true, IN(config_registry, name), .check = check_name,
	  .help = "Its name in the API and for `-r`: letters, digits, `-` and `_`, 50 at most." },
	{ "login_server", KEY_TEXT, .required = true, IN(config_registry, login_server),
	  .check = check_login_server,
	  .help = "`HOST[:PORT]`, as it stands at the beginning of an image name." },
	{ "insecure", KEY_BOOL, IN(config_registry, insecure), .preset = "false",
	  .help = "Speak plain HTTP: for a registry on this machine or network that has no certificate." },
	{ "username", KEY_TEXT, IN(config_registry, username), .help = "User to log in as.",
	  .unset_is = "no login" },
	{ "password", KEY_SECRET, IN(config_registry, password),
	  .from = offsetof(struct config_registry, password_from), .help = "Its password or token.",
	  .unset_is = "no login" },
	{ 0 },
};

static const struct key webhook_keys[] = {
	{ "name", KEY_TEXT, .required = true, IN(config_webhook, name), .check = check_name,
	  .help = "Deliveries come to `POST /webhooks/<name>`." },
	{ "provider", KEY_CHOICE, .required = true, IN(config_webhook, provider),
	  .choices = provider_names, .grows = true, .help = "Who sends them." },
	{ "secrets", KEY_SECRETS, IN(config_webhook, secrets),
	  .len = offsetof(struct config_webhook, secrets_len),
	  .from = offsetof(struct config_webhook, secrets_from),
	  .help = "The secret that the provider signs with; several while one is being replaced. "
		  "For `azure-repos`: the value of `header`.",
	  .unset_is = "required, but for `azure-repos`" },
	{ "username", KEY_TEXT, IN(config_webhook, username), .check = check_git_username,
	  .help = "`azure-repos`: the user name of the subscription.", .unset_is = "any" },
	{ "passwords", KEY_SECRETS, IN(config_webhook, passwords),
	  .len = offsetof(struct config_webhook, passwords_len),
	  .from = offsetof(struct config_webhook, passwords_from),
	  .help = "`azure-repos`, which signs nothing: the password of the subscription (Basic "
		  "authentication); several while one is being replaced.",
	  .unset_is = "`header` alone is asked for" },
	{ "header", KEY_TEXT, IN(config_webhook, header), .check = check_header_name,
	  .help = "`azure-repos`: the name of an HTTP header of the subscription whose value is one of "
		  "`secrets`, instead of a password or beside it.",
	  .unset_is = "`passwords` alone are asked for" },
	{ 0 },
};

static const struct key credential_keys[] = {
	{ "url", KEY_TEXT, .required = true, IN(config_git_credential, url),
	  .check = check_credential_url,
	  .help = "`https://HOST/PATH/`: for repositories below it, and nothing else. The longest one "
		  "wins." },
	{ "username", KEY_TEXT, IN(config_git_credential, username), .check = check_git_username,
	  .help = "User name that goes with the token.",
	  .unset_is = "what stands before a `:` in the token, else what the server is used to" },
	{ "token", KEY_SECRET, .required = true, IN(config_git_credential, token),
	  .from = offsetof(struct config_git_credential, token_from),
	  .help = "Access token that may read them." },
	{ "submodules", KEY_BOOL, IN(config_git_credential, submodules), .preset = "false",
	  .help = "Also for submodules of repositories that lie outside of this prefix." },
	{ 0 },
};

static const struct key git_keys[] = {
	{ "allow_private_addresses", KEY_CIDRS, AT(git.allow_private_addresses),
	  .len = offsetof(struct config, git.allow_private_addresses_len), .preset = "[]",
	  .help = "Networks, such as `10.1.0.0/16`, that may be reached though they are private, "
		  "loopback or link-local. Everything public may." },
	{ "allow_schemes", KEY_CHOICES, AT(git.allow_schemes), .choices = schemes,
	  .preset = "[https]", .help = "What the URL of a repository may begin with." },
	{ "allow_ports", KEY_PORTS, AT(git.allow_ports),
	  .len = offsetof(struct config, git.allow_ports_len), RANGE(1, 65535), .preset = "[]",
	  .help = "Ports, such as `3000`, that may be reached beside the scheme's own. An address "
		  "under `allow_private_addresses` may be reached at any." },
	{ "submodule_hosts", KEY_TEXTS, AT(git.submodule_hosts), .check = check_host_name,
	  .preset = "[]",
	  .help = "Hosts, such as `github.com`, that submodules may come from, beside the host of "
		  "the repository itself." },
	{ "credentials", KEY_LIST, AT(git.credentials),
	  .len = offsetof(struct config, git.credentials_len),
	  .size = sizeof(struct config_git_credential), .keys = credential_keys,
	  .help = "For repositories that are not public." },
	{ "credential_command", KEY_TEXTS, AT(git.credential_command), .preset = "[]",
	  .help = "A program (absolute path) and its arguments, asked for repositories that neither "
		  "the task nor `credentials` has a token for. It speaks the protocol of git's "
		  "credential helpers: reads `protocol`, `host` and `path`, writes `username` and "
		  "`password`; no answer means no credential. It runs inside of a run, as the "
		  "service's user, without a session or terminal, with `PATH` and `HOME` alone in its "
		  "environment, and has 30 seconds." },
	{ 0 },
};

static const struct key engine_keys[] = {
	{ "kind", KEY_CHOICE, AT(engine.kind), .choices = engine_kinds, .grows = true,
	  .preset = "buildah", .help = "The program that builds and pushes." },
	{ "path", KEY_PATH, AT(engine.path), .preset = "/usr/bin/buildah", .help = "Where it is." },
	{ "isolation", KEY_CHOICE, AT(engine.isolation), .choices = isolations, .preset = "auto",
	  .help = "How RUN is shut in: by an OCI runtime or by chroot. `auto`: an OCI runtime if "
		  "one works here." },
	{ "runtime", KEY_TEXT, AT(engine.runtime), .check = check_runtime, .preset = "auto",
	  .help = "The OCI runtime: `auto`, `crun`, `runc`, or the path of one." },
	{ "network", KEY_CHOICE, AT(engine.network), .choices = networks, .preset = "auto",
	  .help = "The network of RUN. `auto`: one of its own that ends with the run, if the host "
		  "allows." },
	{ "pull", KEY_CHOICE, AT(engine.pull), .choices = pulls, .preset = "newer",
	  .help = "When base images are fetched again." },
	{ 0 },
};

static const struct key run_keys[] = {
	{ "timeout_s", KEY_COUNT, AT(run.timeout_s), RANGE(1, 7 * DAY), .preset = "3600",
	  .help = "Seconds that a run may take, unless its task says otherwise." },
	{ "grace_s", KEY_COUNT, AT(run.grace_s), RANGE(1, 300), .preset = "10",
	  .help = "Seconds between asking a run to stop and killing it." },
	{ "max_attempts", KEY_COUNT, AT(run.max_attempts), RANGE(1, 10), .preset = "2",
	  .help = "How often a run is started whose machine went down." },
	{ "memory_bytes", KEY_SIZE, AT(run.memory_bytes), RANGE(0, 64 * TIB), .preset = "0",
	  .help = "Memory of a run; 0 is no limit." },
	{ "pids", KEY_COUNT, AT(run.pids), RANGE(0, 4194304), .preset = "0",
	  .help = "Processes of a run; 0 is no limit." },
	{ "cpus", KEY_DECIMAL, AT(run.cpus), RANGE(0, 4096), .preset = "0",
	  .help = "Processors of a run, such as 1.5; 0 is no limit." },
	{ 0 },
};

static const struct key limit_keys[] = {
	{ "head_bytes", KEY_SIZE, AT(limits.head_bytes), RANGE(1 * KIB, 1 * MIB), .preset = "32K",
	  .help = "Head of an HTTP request: bytes," },
	{ "head_lines", KEY_COUNT, AT(limits.head_lines), RANGE(10, 10000), .preset = "100",
	  .help = "and header lines," },
	{ "head_timeout_s", KEY_COUNT, AT(limits.head_timeout_s), RANGE(1, 3600), .preset = "10",
	  .help = "and seconds until it is complete." },
	{ "body_timeout_s", KEY_COUNT, AT(limits.body_timeout_s), RANGE(1, 3600), .preset = "30",
	  .help = "Seconds that a body may be too slow." },
	{ "webhook_body_bytes", KEY_SIZE, AT(limits.webhook_body_bytes), RANGE(1 * KIB, 25 * MIB),
	  .preset = "5M", .help = "Body of a webhook delivery." },
	{ "json_depth", KEY_COUNT, AT(limits.json_depth), RANGE(8, 2048), .preset = "64",
	  .help = "JSON: arrays and objects inside each other," },
	{ "json_nodes", KEY_COUNT, AT(limits.json_nodes), RANGE(1000, 10000000), .preset = "200000",
	  .help = "and values in all." },
	{ "api_body_bytes", KEY_SIZE, AT(limits.api_body_bytes), RANGE(4 * KIB, 64 * MIB),
	  .preset = "1M", .help = "Body of an API request." },
	{ "batch_ids", KEY_COUNT, AT(limits.batch_ids), RANGE(1, 100000), .preset = "1000",
	  .help = "Runs in one batch request." },
	{ "upload_bytes", KEY_SIZE, AT(limits.upload_bytes), RANGE(1 * KIB, 1 * TIB),
	  .preset = "1G", .help = "Uploaded source archive: bytes as sent," },
	{ "upload_expanded_bytes", KEY_SIZE, AT(limits.upload_expanded_bytes),
	  RANGE(1 * KIB, 1 * TIB), .preset = "2G", .help = "and unpacked," },
	{ "upload_ratio", KEY_COUNT, AT(limits.upload_ratio), RANGE(1, 100000), .preset = "200",
	  .help = "and how many times one is the other at most," },
	{ "upload_entries", KEY_COUNT, AT(limits.upload_entries), RANGE(1, 100000000),
	  .preset = "200000", .help = "and files and folders." },
	{ "task_file_bytes", KEY_SIZE, AT(limits.task_file_bytes), RANGE(1 * KIB, 16 * MIB),
	  .preset = "64K", .help = "A task file." },
	{ "ignore_bytes", KEY_SIZE, AT(limits.ignore_bytes), RANGE(1 * KIB, 64 * MIB),
	  .preset = "256K", .help = "A `.dockerignore`: bytes," },
	{ "ignore_rules", KEY_COUNT, AT(limits.ignore_rules), RANGE(1, 1000000), .preset = "10000",
	  .help = "and rules." },
	{ "dockerfile_bytes", KEY_SIZE, AT(limits.dockerfile_bytes), RANGE(1 * KIB, 64 * MIB),
	  .preset = "1M", .help = "A Dockerfile." },
	{ "git_bytes", KEY_SIZE, AT(limits.git_bytes), RANGE(1 * MIB, 1 * TIB), .preset = "2G",
	  .help = "A fetch from a git server: bytes," },
	{ "git_objects", KEY_COUNT, AT(limits.git_objects), RANGE(1000, 1000000000),
	  .preset = "5000000", .help = "and objects." },
	{ "git_object_bytes", KEY_SIZE, AT(limits.git_object_bytes), RANGE(1 * MIB, 1 * TIB),
	  .preset = "512M", .help = "One object of it." },
	{ "git_entries", KEY_COUNT, AT(limits.git_entries), RANGE(1, 100000000), .preset = "200000",
	  .help = "Files and folders of a commit," },
	{ "git_depth", KEY_COUNT, AT(limits.git_depth), RANGE(1, 4096), .preset = "128",
	  .help = "and folders inside each other." },
	{ "git_stall_s", KEY_COUNT, AT(limits.git_stall_s), RANGE(1, 3600), .preset = "30",
	  .help = "Seconds without progress of a fetch," },
	{ "git_timeout_s", KEY_COUNT, AT(limits.git_timeout_s), RANGE(1, DAY), .preset = "600",
	  .help = "and seconds in all." },
	{ "log_bytes", KEY_SIZE, AT(limits.log_bytes), RANGE(4 * KIB, 1 * TIB), .preset = "64M",
	  .help = "Log of a run," },
	{ "log_line_bytes", KEY_SIZE, AT(limits.log_line_bytes), RANGE(256, 16 * MIB),
	  .preset = "64K", .help = "and one line of it; a longer one is split." },
	{ 0 },
};

static const struct key retention_keys[] = {
	{ "runs_days", KEY_COUNT, AT(retention.runs_days), RANGE(1, 36500), .preset = "30",
	  .help = "Days after which an ended run is forgotten, with its log." },
	{ "log_bytes", KEY_SIZE, AT(retention.log_bytes), RANGE(1 * MIB, 1024 * TIB),
	  .preset = "5G",
	  .help = "All logs together; the oldest go first. Checked, but not enforced by this version." },
	{ "git_bytes", KEY_SIZE, AT(retention.git_bytes), RANGE(1 * MIB, 1024 * TIB),
	  .preset = "20G",
	  .help = "Mirrors of repositories, kept checkouts and Git LFS files, all together; the longest unused go first." },
	{ "min_free_bytes", KEY_SIZE, AT(retention.min_free_bytes), RANGE(0, 1024 * TIB),
	  .preset = "2G", .help = "Below this much free disk no work is accepted." },
	{ 0 },
};

const struct key config_keys[] = {
	{ "data_dir", KEY_PATH, AT(data_dir),
	  .help = "The folder for everything that the service keeps. Made 0750.",
	  .unset_is = "`/var/lib/slipway` for root, else `$XDG_DATA_HOME/slipway`" },
	{ "listen", KEY_TEXT, AT(listen), .check = check_listen, .preset = "127.0.0.1:8080",
	  .help = "`ADDRESS:PORT` for HTTP, with an IPv6 address in brackets; `none`: only the "
		  "Unix socket." },
	{ "listen_insecure", KEY_BOOL, AT(listen_insecure), .preset = "false",
	  .help = "Listen without TLS on an address that is not loopback: for use behind a proxy "
		  "that speaks TLS." },
	{ "base_url", KEY_TEXT, AT(base_url), .check = check_base_url,
	  .help = "How people reach this service, for links in commit statuses.",
	  .unset_is = "no links" },
	{ "tls", KEY_SECTION, .keys = tls_keys, .help = "Speak HTTPS. Both keys, or neither.",
	  .unset_is = "plain HTTP" },
	{ "database", KEY_TEXT, AT(database), .check = check_database,
	  .preset = "sqlite:slipway.db", .help = "`sqlite:FILE`, relative to `data_dir`." },
	{ "max_running", KEY_COUNT, AT(max_running), RANGE(1, 1024), .help = "Runs at a time.",
	  .unset_is = "the number of processors" },
	{ "default_registry", KEY_TEXT, AT(default_registry),
	  .help = "Where an image goes whose name has no registry.",
	  .unset_is = "the first of `registries`" },
	{ "registries", KEY_LIST, AT(registries), .len = offsetof(struct config, registries_len),
	  .size = sizeof(struct config_registry), .keys = registry_keys,
	  .help = "Where images are pushed to.",
	  .unset_is = "one named `default`, to which nothing can be pushed" },
	{ "webhooks", KEY_LIST, AT(webhooks), .len = offsetof(struct config, webhooks_len),
	  .size = sizeof(struct config_webhook), .keys = webhook_keys,
	  .help = "Who may report pushes." },
	{ "git", KEY_SECTION, .keys = git_keys, .help = "Fetching sources." },
	{ "engine", KEY_SECTION, .keys = engine_keys, .help = "Building images." },
	{ "run", KEY_SECTION, .keys = run_keys, .help = "What one run may use." },
	{ "limits", KEY_SECTION, .keys = limit_keys,
	  .help = "Ceilings for what comes from outside. What passes one is refused or ends as "
		  "failed, and the message names the limit." },
	{ "retention", KEY_SECTION, .keys = retention_keys,
	  .help = "What is kept, and for how long." },
	{ 0 },
};
